"""Bodies that are too large, too slow, too many, or that stop coming. Only in this process can limits be so small."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from starlette.types import Message, Scope

from ingest.http.limits import Limits
from tests.rest.client import MemoryRest, make_app
from tests.rest.memory_node import MemoryNode

LIMIT = 1000
LIMITS = Limits(max_body_bytes=LIMIT, max_in_flight_bytes=1500, body_seconds=0.2)
COUNT = "/collections/c/points/count"


class Exchange:
    """One request, sent to the application message by message."""

    def __init__(self, rest: MemoryRest, headers: dict[str, str] | None = None, path: str = COUNT) -> None:
        self._app = rest.app
        self._headers = [(k.encode(), v.encode()) for k, v in (headers or {}).items()]
        self._path = path
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        self.taken = 0

    def send(self, body: bytes, more: bool = False) -> None:
        self._incoming.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def disconnect(self) -> None:
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def run(self) -> None:
        scope: Scope = {
            "type": "http",
            "method": "POST",
            "path": self._path,
            "query_string": b"",
            "headers": self._headers,
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        message = await self._incoming.get()
        self.taken += len(message.get("body", b""))
        return message

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def error(self) -> str:
        body = b"".join(message["body"] for message in self.sent[1:])
        message: str = json.loads(body)["status"]["error"]
        return message


@pytest.fixture
def limited() -> Iterator[MemoryRest]:
    client = MemoryRest(limits=LIMITS)
    client.create()
    yield client
    client.close()


def test_a_body_at_the_limit(limited: MemoryRest) -> None:
    assert limited.result("POST", COUNT, content=b"{}" + b" " * (LIMIT - 2)) == {"count": 0}
    assert str(LIMIT) in limited.error(413, "POST", COUNT, content=b"{}" + b" " * (LIMIT - 1))


def test_a_declared_length_is_refused_before_anything_is_read(limited: MemoryRest) -> None:
    async def run() -> None:
        exchange = Exchange(limited, {"content-length": "1000000000000", "expect": "100-continue"})
        await exchange.run()
        assert exchange.status == 413
        assert exchange.taken == 0

    asyncio.run(run())


def test_the_answer_comes_first_and_the_rest_is_thrown_away(limited: MemoryRest) -> None:
    async def run() -> None:
        exchange = Exchange(limited, {"content-length": "5000"})
        running = asyncio.create_task(exchange.run())
        while len(exchange.sent) < 2:
            await asyncio.sleep(0)
        assert exchange.status == 413
        assert exchange.headers[b"connection"] == b"close"
        assert exchange.taken == 0
        for _ in range(4):
            exchange.send(b"x" * 1000, more=True)
        exchange.send(b"x" * 1000)
        await running
        assert exchange.taken == 5000
        assert not exchange.sent[-1].get("more_body", False)

    asyncio.run(run())


def test_a_chunked_body_is_refused_where_it_passes_the_limit(limited: MemoryRest) -> None:
    async def run() -> None:
        exchange = Exchange(limited)
        running = asyncio.create_task(exchange.run())
        exchange.send(b" " * 600, more=True)
        await asyncio.sleep(0.01)
        assert not exchange.sent
        exchange.send(b" " * 600, more=True)
        while len(exchange.sent) < 2:
            await asyncio.sleep(0)
        assert exchange.status == 413
        exchange.disconnect()
        await running

    asyncio.run(run())


def test_a_body_in_pieces(limited: MemoryRest) -> None:
    async def run() -> None:
        exchange = Exchange(limited)
        exchange.send(b'{"exa', more=True)
        exchange.send(b"", more=True)
        exchange.send(b'ct": true}')
        await exchange.run()
        assert exchange.status == 200

    asyncio.run(run())


def test_a_body_that_stops_coming(limited: MemoryRest) -> None:
    async def run() -> None:
        exchange = Exchange(limited, {"content-length": "100", "expect": "100-continue"})
        exchange.send(b"{", more=True)
        await exchange.run()
        assert exchange.status == 408
        assert "did not arrive in time" in exchange.error

    asyncio.run(run())


def test_a_client_that_leaves(limited: MemoryRest) -> None:
    async def run() -> None:
        exchange = Exchange(limited, {"content-length": "100"})
        exchange.send(b"{", more=True)
        exchange.disconnect()
        await exchange.run()
        assert not exchange.sent

    asyncio.run(run())


def test_a_length_that_is_no_number(limited: MemoryRest) -> None:
    async def run() -> None:
        for length in ("-1", "x", "1.5"):
            exchange = Exchange(limited, {"content-length": length, "expect": "100-continue"})
            await exchange.run()
            assert exchange.status == 400

    asyncio.run(run())


def test_bodies_in_flight_are_bounded_and_given_back(limited: MemoryRest) -> None:
    async def run() -> None:
        first = Exchange(limited, {"content-length": "1000"})
        running = asyncio.create_task(first.run())
        first.send(b" " * 500, more=True)
        await asyncio.sleep(0.01)
        second = Exchange(limited, {"content-length": "1000", "expect": "100-continue"})
        await second.run()
        assert second.status == 429
        assert second.headers[b"retry-after"] == b"1"
        assert "try again" in second.error
        first.send(b"{}" + b" " * 498)
        await running
        assert first.status == 200
        third = Exchange(limited, {"content-length": "1000"})
        third.send(b"{}" + b" " * 998)
        await third.run()
        assert third.status == 200

    asyncio.run(run())


def test_bodies_of_endpoints_that_take_none_are_not_read(limited: MemoryRest) -> None:
    async def run() -> None:
        exchange = Exchange(limited, {"content-length": "1000000"}, path="/collections/aliases")
        running = asyncio.create_task(exchange.run())
        while len(exchange.sent) < 2:
            await asyncio.sleep(0)
        assert exchange.status == 413
        exchange.disconnect()
        await running

    asyncio.run(run())
    assert limited.send("GET", "/collections", content=b"x" * 5000).status_code == 200


@pytest.fixture
def server() -> Iterator[int]:
    """The port of a real server."""
    app = make_app(MemoryNode(), LIMITS)
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    config = uvicorn.Config(app, loop="uvloop", http="httptools", ws="none", lifespan="off", log_level="critical")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    yield port
    running.should_exit = True
    thread.join()


def exchange_bytes(port: int, data: bytes) -> bytes:
    """Everything the server sends back until it closes, to a client that sends all it has first."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(data)
        parts: list[bytes] = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def head(**headers: Any) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"POST {COUNT} HTTP/1.1\r\nhost: x\r\n{lines}\r\n".encode()


def test_a_client_that_sends_it_all_first_gets_its_answer(server: int) -> None:
    size = 8 << 20
    answer = exchange_bytes(server, head(content_length=size) + b"x" * size)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"larger than" in answer


def test_a_client_that_sends_chunks_gets_its_answer(server: int) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    answer = exchange_bytes(server, head(transfer_encoding="chunked") + chunk * 64 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_asks_first_is_not_told_to_go_on(server: int) -> None:
    answer = exchange_bytes(server, head(content_length=1 << 40, expect="100-continue"))
    assert answer.startswith(b"HTTP/1.1 413 ")
