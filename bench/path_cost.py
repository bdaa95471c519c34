"""What one request costs a server in processor time, beside other releases: same requests, in turns.

python -m bench.path_cost [FOLDER ...] [--rounds 12] [--requests 300]

A ``FOLDER`` is a checkout with a ``.venv`` of its own; this one is always measured. Times by the clock say little on
a busy machine; processor time, that of all threads of the server, says how much work a request is. Switches are how
often a thread of the server slept and was woken.
"""

import json
import socket
import subprocess
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

HERE = Path(__file__).parent.parent
DIM = 100
POINTS = 5000
CONNECTIONS = 32
BATCH = 1000


@dataclass
class Use:
    """What the threads of a process used: seconds of processor time, switches."""

    seconds: float
    switches: int

    def since(self, before: "Use") -> "Use":
        """What was used after ``before``."""
        return Use(self.seconds - before.seconds, self.switches - before.switches)


def used(pid: int) -> Use:
    """Of a process, by now."""
    seconds, switches = 0.0, 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            seconds += int((task / "schedstat").read_text().split()[0]) / 1e9
            for line in (task / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    switches += int(line.split()[1])
        except OSError:
            continue
    return Use(seconds, switches)


class Server:
    """A server of one checkout, over an empty data folder."""

    def __init__(self, root: Path, data: Path, run: Sequence[str | Path] = ("-m",)) -> None:
        """``run``: how the interpreter is told to run a module."""
        self.root = root
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        arguments = ["--port", str(self.port), "--data", str(data / "data"), "--log-level", "error"]
        grpc = ["--no-grpc"] if (root / "compose" / "grpc").exists() else []
        self.process = subprocess.Popen(
            [root / ".venv/bin/python", *run, "compose.cli", "serve", *arguments, *grpc], cwd=root
        )
        self.connections = [self._connect() for _ in range(CONNECTIONS)]

    def _connect(self) -> socket.socket:
        for _ in range(600):
            try:
                connection = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                time.sleep(0.1)
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        raise RuntimeError(f"no server of {self.root}")

    def ask(self, request: bytes) -> bytes:
        """The answer's body to a request on the first connection."""
        self.connections[0].sendall(request)
        return answer(self.connections[0])

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)


def answer(connection: socket.socket) -> bytes:
    """The next answer's body. Raises RuntimeError unless it is 200."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1 << 20)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(1 << 20)
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(f"{head!r} {body!r}")
    return body


def request(method: str, path: str, body: object) -> bytes:
    """The bytes of a request."""
    data = json.dumps(body).encode()
    return (
        f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"content-length: {len(data)}\r\n\r\n"
    ).encode() + data


def upsert(points: Sequence[int], vectors: Sequence[Sequence[float]]) -> bytes:
    """A waited upsert."""
    body = [{"id": i, "vector": v, "payload": {"n": i}} for i, v in zip(points, vectors, strict=True)]
    return request("PUT", "/collections/words/points?wait=true", {"points": body})


def search(vector: Sequence[float]) -> bytes:
    """A search for the ten nearest."""
    return request("POST", "/collections/words/points/query", {"query": vector, "limit": 10})


def one_by_one(server: Server, requests: Sequence[bytes]) -> None:
    """All of them on one connection."""
    for data in requests:
        server.ask(data)


def together(server: Server, requests: Sequence[bytes]) -> None:
    """As many under way at once as there are connections."""
    for start in range(0, len(requests), CONNECTIONS):
        part = requests[start : start + CONNECTIONS]
        for connection, data in zip(server.connections, part, strict=False):
            connection.sendall(data)
        for connection, _ in zip(server.connections, part, strict=False):
            answer(connection)


@dataclass
class Case:
    """One kind of request; what each server used for one, in every round."""

    name: str
    drive: Callable[[Server, Sequence[bytes]], None]
    make: Callable[[int], list[bytes]]
    found: dict[Path, list[tuple[float, float]]] = field(default_factory=dict[Path, list[tuple[float, float]]])


def measure(servers: Sequence[Server], cases: Sequence[Case], rounds: int) -> None:
    """Rounds of all cases, the servers taking turns."""
    for at in range(rounds + 1):
        for case in cases:
            requests = case.make(at)
            for server in servers[:: -1 if at % 2 else 1]:
                before = used(server.process.pid)
                case.drive(server, requests)
                use = used(server.process.pid).since(before)
                if at:  # the first warms up
                    case.found.setdefault(server.root, []).append(
                        (use.seconds / len(requests), use.switches / len(requests))
                    )


def show(servers: Sequence[Server], cases: Sequence[Case]) -> None:
    """A table."""
    for case in cases:
        print(case.name)
        for server in servers:
            each = case.found[server.root]
            ratio = median(a / b for (a, _), (b, _) in zip(each, case.found[servers[0].root], strict=True))
            usual, least = median(s for s, _ in each) * 1e6, min(s for s, _ in each) * 1e6
            switches = median(n for _, n in each)
            print(f"  {server.root}: {usual:.0f} us (least {least:.0f}), {switches:.2f} switches, {ratio:.2f}")


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--requests", type=int, default=320)
    options = parser.parse_args()
    numbers = np.random.default_rng(5).normal(size=(POINTS, DIM)).round(4).tolist()
    count = options.requests

    def upserts(at: int) -> list[bytes]:
        return [upsert([i], [numbers[i % POINTS]]) for i in range(at * count % 2000, at * count % 2000 + count)]

    def searches(at: int) -> list[bytes]:
        return [search(numbers[(at * count + i) % POINTS]) for i in range(count)]

    cases = [
        Case("waited upserts of one point, one connection", one_by_one, upserts),
        Case("waited upserts of one point, 32 connections", together, upserts),
        Case("searches, one connection", one_by_one, searches),
        Case("searches, 32 connections", together, searches),
    ]
    servers: list[Server] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for at, root in enumerate([*options.folders, HERE]):
                servers.append(Server(root, Path(folder) / str(at)))
            for server in servers:
                server.ask(request("PUT", "/collections/words", {"vectors": {"size": DIM, "distance": "Cosine"}}))
                for start in range(0, POINTS, BATCH):
                    server.ask(upsert(range(start, start + BATCH), numbers[start : start + BATCH]))
            measure(servers, cases, options.rounds)
            show(servers, cases)
        finally:
            for server in servers:
                server.close()


if __name__ == "__main__":
    main()
