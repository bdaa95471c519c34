"""How much of the code one request passes on the event loop: modules, functions and calls of an embedded node.

python -m bench.path_length [--list]

Counted are the calls into the rooms while a waited upsert of one point, and a search, go from the socket to the answer.
A coroutine that goes on after a wait counts as a call. ``--list`` names the modules and their calls.
"""

import asyncio
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import FrameType

from compose.app import create_app
from compose.embedded import EmbeddedNode
from compose.http.server import HttpServer, bind
from compose.http_options import make_access, make_cors, make_limits
from compose.services import make_services
from compose.settings import Settings

ROOT = Path(__file__).parent.parent
ROOMS = ("schemas", "ingest", "projector", "query_api", "compose")
REQUESTS = 20
PAUSE_SECONDS = 0.02
"""For what goes on after an answer."""

Function = tuple[str, str, int]
"""Module, name, line."""
Request = tuple[str, str, object]
"""Method, path, body."""


class CallCounter:
    """Counts the calls into the rooms on this thread, between ``start`` and ``stop``."""

    def __init__(self) -> None:
        self._calls: Counter[tuple[str, str, int]] = Counter()

    def start(self) -> None:
        self._calls.clear()
        sys.setprofile(self._see)

    def stop(self) -> Counter[Function]:
        sys.setprofile(None)
        return Counter(
            {
                (module, name, line): calls
                for (file, name, line), calls in self._calls.items()
                if (module := _module(file)) is not None
            }
        )

    def _see(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            code = frame.f_code
            self._calls[code.co_filename, code.co_qualname, code.co_firstlineno] += 1


def _module(file: str) -> str | None:
    path = Path(file)
    if not path.is_relative_to(ROOT):
        return None
    path = path.relative_to(ROOT).with_suffix("")
    return ".".join(path.parts) if path.parts[0] in ROOMS else None


class Client:
    """One connection, of which only the server's side is in the rooms."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: Request) -> bytes:
        """The answer's body. Raises RuntimeError unless the status is 200."""
        method, path, body = request
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n"
        )
        self._writer.write(head.encode() + b"\r\n" + data)
        status, *headers = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        length = next(int(h.partition(":")[2]) for h in headers if h.lower().startswith("content-length:"))
        answer = await self._reader.readexactly(length)
        if " 200 " not in status:
            raise RuntimeError(f"{method} {path}: {status}: {answer.decode()}")
        return answer


def upsert(point: int) -> Request:
    points = [{"id": point, "vector": [1.0, 2.0, 3.0, 4.0], "payload": {"word": "spring"}}]
    return "PUT", "/collections/words/points?wait=true", {"points": points}


def search() -> Request:
    return "POST", "/collections/words/points/query", {"query": [1.0, 2.0, 3.0, 4.0], "limit": 3}


async def count(client: Client, requests: list[Request]) -> Counter[Function]:
    """The calls of one of ``requests``: the one with the fewest, as now and then something else has its turn."""
    counter = CallCounter()
    found: list[Counter[Function]] = []
    for request in requests:
        counter.start()
        await client.ask(request)
        found.append(counter.stop())
        await asyncio.sleep(PAUSE_SECONDS)
    return min(found, key=lambda calls: calls.total())


def show(what: str, calls: Counter[Function], *, listed: bool) -> None:
    modules: Counter[str] = Counter()
    for (module, _, _), number in calls.items():
        modules[module] += number
    print(f"{what}: {len(modules)} modules, {len(calls)} functions, {calls.total()} calls")
    if listed:
        for module in sorted(modules):
            names = sorted(f"{name}*{n}" if n > 1 else name for (m, name, _), n in calls.items() if m == module)
            print(f"  {module}: {' '.join(names)}")


async def measure(folder: Path, *, listed: bool) -> None:
    settings = Settings(data=folder, port=0)
    listener = bind("127.0.0.1", 0)
    node = await EmbeddedNode.open(settings)
    app = create_app(make_services(node), make_limits(settings), make_access(settings), make_cors(settings))
    server = HttpServer(app.answer, listener)
    running, serving = asyncio.create_task(node.run()), asyncio.create_task(server.run())
    await node.caught_up()
    client = Client(*await asyncio.open_connection("127.0.0.1", listener.getsockname()[1]))
    await client.ask(("PUT", "/collections/words", {"vectors": {"size": 4, "distance": "Dot"}}))
    show("a waited upsert of one point", await count(client, [upsert(i) for i in range(REQUESTS)]), listed=listed)
    show("a search", await count(client, [search()] * REQUESTS), listed=listed)
    server.stop()
    await serving
    running.cancel()
    await asyncio.wait([running])
    await node.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), listed="--list" in sys.argv))


if __name__ == "__main__":
    main()
