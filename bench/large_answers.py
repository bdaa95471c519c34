"""For how long an event loop is held up by large answers.

python -m bench.large_answers

A server and, on a thread, a client in one process. Told is the most processor time that the loop's thread used before
the next had its turn, in milliseconds, and that of the whole process: what other processes do counts for little in it.
"""

import asyncio
import json
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from compose.app import create_app
from compose.embedded import EmbeddedNode
from compose.http.server import HttpServer, bind, freeze_garbage_collector
from compose.http_options import make_access, make_cors, make_limits
from compose.services import make_services
from compose.settings import Settings

BATCH = 1000
ALL = 65_536
QUERY = {"query": [1.0, 2.0, 3.0, 4.0], "with_payload": True}
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "a scroll of 65,536 points": ("small", "/scroll", {"limit": ALL}),
    "the same with vectors": ("small", "/scroll", {"limit": ALL, "with_vector": True}),
    "a query of 65,536 points": ("small", "/query", {**QUERY, "limit": ALL}),
    "a batch of four of them, ids only": (
        "small",
        "/query/batch",
        {"searches": [{**QUERY, "limit": ALL, "with_payload": False}] * 4},
    ),
    "65,536 points by id": ("small", "", {"ids": list(range(ALL))}),
    "100 groups of 600": ("small", "/query/groups", {**QUERY, "group_by": "g", "limit": 100, "group_size": 600}),
    "a scroll of four shards, 65,536 points": ("shards", "/scroll", {"limit": ALL}),
    "a query of four shards, 65,536 points": ("shards", "/query", {**QUERY, "limit": ALL}),
    "a scroll of 40,000 points with payloads of 1 KB": ("payloads", "/scroll", {"limit": 40_000}),
    "a batch of six queries of them": ("payloads", "/query/batch", {"searches": [{**QUERY, "limit": 40_000}] * 6}),
    "a matrix of 2,600 points, 100 of each": ("matrix", "/search/matrix/pairs", {"sample": 2600, "limit": 100}),
    "a matrix of 10,000 points, 26 of each": ("matrix", "/search/matrix/offsets", {"sample": 10_000, "limit": 26}),
    "a scroll of 8,000 points with vectors of 1,024": ("vectors", "/scroll", {"limit": 8000, "with_vector": True}),
}


class Turns:
    """A task that asks for its turn all the time; ``longest``: what its thread used between two at most, in seconds."""

    longest = 0.0

    async def run(self) -> None:
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest = max(self.longest, now - last)
            last = now


def ask(port: int, method: str, path: str, body: Any) -> int:
    """The bytes of an answer. Raises RuntimeError unless the status is 200."""
    data = json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len(data)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(head.encode() + data)
        received = connection.recv(1 << 20)
        if b" 200 " not in received[:20]:
            raise RuntimeError(f"{method} {path}: {received[:500]!r}")
        size = len(received)
        while received := connection.recv(1 << 20):
            size += len(received)
    return size


def fill(port: int, name: str, count: int, dim: int, text: int, shards: int = 1) -> None:
    config = {"vectors": {"size": dim, "distance": "Dot"}, "shard_number": shards}
    ask(port, "PUT", f"/collections/{name}", config)
    rng = np.random.default_rng(1)
    for start in range(0, count, BATCH):
        vectors = rng.standard_normal((BATCH, dim), np.float32).tolist()
        ids = range(start, min(start + BATCH, count))
        points = [
            {"id": i, "vector": vector, "payload": {"t": "x" * text, "g": i % 100}}
            for i, vector in zip(ids, vectors, strict=False)
        ]
        ask(port, "PUT", f"/collections/{name}/points?wait=true", {"points": points})


def fill_all(port: int) -> None:
    fill(port, "small", ALL, 4, 10)
    fill(port, "shards", ALL, 4, 10, shards=4)
    fill(port, "payloads", 40_000, 4, 1000)
    fill(port, "matrix", 10_000, 100, 10)
    fill(port, "vectors", 8000, 1024, 10)


async def measure(folder: Path) -> None:
    settings = Settings(data=folder, port=0)
    listener = bind("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    node = await EmbeddedNode.open(settings)
    app = create_app(make_services(node), make_limits(settings), make_access(settings), make_cors(settings))
    server = HttpServer(app.answer, listener)
    turns = Turns()
    running = [asyncio.create_task(work) for work in (node.run(), server.run())]
    await node.caught_up()
    await asyncio.to_thread(fill_all, port)
    freeze_garbage_collector()
    counting = asyncio.create_task(turns.run())
    print(f"{'':52}{'held, ms':>10}{'all, ms':>10}{'MB':>10}")
    for what, (name, path, body) in REQUESTS.items():
        turns.longest, used = 0.0, time.process_time()
        size = await asyncio.to_thread(ask, port, "POST", f"/collections/{name}/points{path}", body)
        spent = time.process_time() - used
        print(f"{what:52}{1000 * turns.longest:10.0f}{1000 * spent:10.0f}{size / 1e6:10.1f}", flush=True)
    counting.cancel()
    server.stop()
    await running[1]
    running[0].cancel()
    await asyncio.wait(running)
    await node.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(measure(Path(folder)))


if __name__ == "__main__":
    main()
