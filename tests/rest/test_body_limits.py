"""Bodies that are too large, too slow, too many, or that stop coming. Only in this process can limits be so small."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

from compose.http.server import HttpServer, bind
from ingest.http.limits import Limits
from tests.rest.client import MemoryRest, make_app
from tests.rest.memory_node import MemoryNode
from tests.support.memory_http import MemoryAnswer, MemoryClient

LIMIT = 1000
LIMITS = Limits(max_body_bytes=LIMIT, max_in_flight_bytes=1500, body_seconds=0.2)
COUNT = "/collections/c/points/count"


class Sent:
    """One request, sent to the application bit by bit."""

    def __init__(self, rest: MemoryRest, *headers: str, method: str = "POST", path: str = COUNT) -> None:
        self._client = MemoryClient(rest.app.answer)
        self._client.send("\r\n".join([f"{method} {path} HTTP/1.1", *headers, "", ""]).encode())

    def send(self, data: bytes) -> None:
        self._client.send(data)

    def send_chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def settle(self) -> None:
        """Have all happen that can."""
        for _ in range(10):
            await asyncio.sleep(0.005)

    async def leave(self) -> None:
        await self._client.ended()

    async def answer(self) -> MemoryAnswer:
        return await self._client.answer()

    @property
    def written(self) -> bytes:
        return self._client.transport.written

    @property
    def is_closed(self) -> bool:
        return self._client.transport.is_closing()

    @property
    def is_paused(self) -> bool:
        """Whether the client is made to wait."""
        return self._client.transport.paused


def error(answer: MemoryAnswer) -> str:
    message: str = json.loads(answer.body)["status"]["error"]
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


def run(check: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await check()

    asyncio.run(bounded())


def test_a_declared_length_is_refused_before_anything_is_read(limited: MemoryRest) -> None:
    async def check() -> None:
        sent = Sent(limited, "content-length: 1000000000000", "expect: 100-continue")
        answer = await sent.answer()
        assert answer.status == 413
        assert (b"connection", b"close") in answer.headers
        assert sent.is_closed
        await sent.leave()

    run(check)


def test_the_answer_comes_first_and_the_rest_is_thrown_away(limited: MemoryRest) -> None:
    async def check() -> None:
        sent = Sent(limited, "content-length: 500000")
        answer = await sent.answer()
        assert answer.status == 413
        assert (b"connection", b"close") in answer.headers
        for _ in range(4):
            sent.send(b"x" * 100_000)
            await sent.settle()
            assert not sent.is_paused
            assert not sent.is_closed
        sent.send(b"x" * 100_000)
        await sent.settle()
        assert sent.is_closed
        await sent.leave()

    run(check)


def test_a_chunked_body_is_refused_where_it_passes_the_limit(limited: MemoryRest) -> None:
    async def check() -> None:
        sent = Sent(limited, "transfer-encoding: chunked")
        sent.send_chunk(b" " * 600)
        await sent.settle()
        assert not sent.written
        sent.send_chunk(b" " * 600)
        assert (await sent.answer()).status == 413
        await sent.leave()

    run(check)


def test_a_body_in_pieces(limited: MemoryRest) -> None:
    async def check() -> None:
        for headers in (["transfer-encoding: chunked"], ["content-length: 15"]):
            sent = Sent(limited, *headers)
            send = sent.send_chunk if "chunked" in headers[0] else sent.send
            send(b'{"exa')
            await sent.settle()
            send(b'ct": true}')
            if "chunked" in headers[0]:
                sent.send(b"0\r\n\r\n")
            assert (await sent.answer()).status == 200
            await sent.leave()

    run(check)


def test_a_body_that_stops_coming(limited: MemoryRest) -> None:
    async def check() -> None:
        for headers in (["content-length: 100"], ["transfer-encoding: chunked"]):
            sent = Sent(limited, *headers, "expect: 100-continue")
            await sent.settle()
            assert sent.written == b"HTTP/1.1 100 Continue\r\n\r\n"
            sent.send(b"1\r\n{\r\n")
            answer = await sent.answer()
            assert answer.status == 408
            assert "did not arrive in time" in error(answer)
            await sent.leave()

    run(check)


def test_a_client_that_leaves(limited: MemoryRest) -> None:
    async def check() -> None:
        for headers in (["content-length: 100"], ["content-length: 100", "expect: 100-continue"]):
            sent = Sent(limited, *headers)
            sent.send(b"{")
            await sent.settle()
            before = sent.written
            await sent.leave()
            assert sent.written == before

    run(check)


def test_a_length_that_is_no_number(limited: MemoryRest) -> None:
    async def check() -> None:
        for length in ("-1", "x", "1.5"):
            sent = Sent(limited, f"content-length: {length}")
            assert (await sent.answer()).status == 400
            await sent.leave()

    run(check)


def test_bodies_in_flight_are_bounded_and_given_back(limited: MemoryRest) -> None:
    async def check() -> None:
        first = Sent(limited, "content-length: 1000")
        first.send(b" " * 500)
        await first.settle()
        second = Sent(limited, "content-length: 1000", "expect: 100-continue")
        answer = await second.answer()
        assert answer.status == 429
        assert (b"retry-after", b"1") in answer.headers
        assert "try again" in error(answer)
        first.send(b"{}" + b" " * 498)
        assert (await first.answer()).status == 200
        third = Sent(limited, "content-length: 1000")
        third.send(b"{}" + b" " * 998)
        assert (await third.answer()).status == 200
        for sent in (first, second, third):
            await sent.leave()

    run(check)


def test_bodies_of_endpoints_that_take_none_are_not_read(limited: MemoryRest) -> None:
    async def check() -> None:
        sent = Sent(limited, "content-length: 1000000", path="/collections/aliases")
        assert (await sent.answer()).status == 413
        await sent.leave()

    run(check)
    assert limited.send("GET", "/collections", content=b"x" * 5000).status_code == 200


@pytest.fixture
def server() -> Iterator[int]:
    """The port of a real server."""
    app = make_app(MemoryNode(), LIMITS)
    listener = bind("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    running = HttpServer(app.answer, listener)
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(running.run(),))
    thread.start()
    yield port
    loop.call_soon_threadsafe(running.stop)
    thread.join()
    loop.close()


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


@pytest.mark.parametrize("line", [b"POST /nowhere HTTP/1.1", b"POST /nowhere HTTP/1.0", b"GET /livez HTTP/1.1"])
def test_a_client_that_sends_a_body_nobody_reads_gets_its_answer(server: int, line: bytes) -> None:
    size = 8 << 20
    data = line + b"\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size
    answer = exchange_bytes(server, data)
    assert answer.startswith(b"HTTP/1.1 200 " if b"livez" in line else b"HTTP/1.1 404 ")


def test_a_client_that_sends_chunks_gets_its_answer(server: int) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    answer = exchange_bytes(server, head(transfer_encoding="chunked") + chunk * 64 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_asks_first_is_not_told_to_go_on(server: int) -> None:
    answer = exchange_bytes(server, head(content_length=1 << 40, expect="100-continue"))
    assert answer.startswith(b"HTTP/1.1 413 ")
