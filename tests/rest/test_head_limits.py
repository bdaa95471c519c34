"""Requests whose head is too large or never complete, sent to a real server byte by byte."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable

import pytest

from compose.http import patience
from compose.http.request_reader import MAX_HEAD_BYTES
from compose.http.server import HttpServer, bind
from ingest.http.exchange import ClientGoneError, Exchange

HOST = "127.0.0.1"
END = b"\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nhost: x\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


async def count_body(exchange: Exchange) -> None:
    """Answers how long the body was."""
    size = 0
    try:
        while data := await exchange.receive():
            size += len(data)
    except ClientGoneError:
        return
    exchange.answer(200, b"text/plain", (), b"%d" % size)


Client = Callable[[int], Awaitable[None]]


def serve(client: Client) -> None:
    """Run ``client`` with the port of a server."""

    async def main() -> None:
        listener = bind(HOST, 0)
        server = HttpServer(count_body, listener)
        serving = asyncio.create_task(server.run())
        try:
            async with asyncio.timeout(60):
                await client(listener.getsockname()[1])
        finally:
            server.stop()
            await serving

    asyncio.run(main())


async def exchange(port: int, *pieces: bytes) -> bytes:
    """All that the server sends until it closes; the client sends the pieces one by one and leaves its side open."""
    reader, writer = await asyncio.open_connection(HOST, port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


def head(size: int) -> bytes:
    """A whole head of so many bytes, the last of its connection."""
    begin, end = GET + b"connection: close\r\nx: ", END
    return begin + b"a" * (size - len(begin) - len(end)) + end


def check_refused(answer: bytes) -> None:
    top, body = answer.split(END, 1)
    assert top.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close" in top
    assert f"larger than {MAX_HEAD_BYTES} bytes" in json.loads(body)["status"]["error"]


def test_a_head_at_the_limit() -> None:
    async def client(port: int) -> None:
        assert (await exchange(port, head(MAX_HEAD_BYTES))).startswith(b"HTTP/1.1 200 ")
        check_refused(await exchange(port, head(MAX_HEAD_BYTES + 1)))

    serve(client)


@pytest.mark.parametrize(
    "begin",
    [GET + b"x: ", b"GET /", GET + b"x", GET + b"x: a\r\n" * 20_000],
    ids=["value", "url", "name", "many"],
)
def test_a_head_without_an_end(begin: bytes) -> None:
    async def client(port: int) -> None:
        check_refused(await exchange(port, begin, *[b"a" * 20_000] * 100))

    serve(client)


def test_every_request_of_a_connection_has_the_whole_limit() -> None:
    async def client(port: int) -> None:
        one = GET + b"x: " + b"a" * 40_000 + END
        pipelined = await exchange(port, one * 3 + head(MAX_HEAD_BYTES))
        assert pipelined.count(b"HTTP/1.1 200 ") == 4
        reader, writer = await asyncio.open_connection(HOST, port)
        for _ in range(3):
            writer.write(one)
            assert (await reader.readuntil(END)).startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(1)
        writer.write(GET + b"x: " + b"a" * MAX_HEAD_BYTES)
        check_refused(await reader.read())
        writer.close()

    serve(client)


def test_bodies_are_not_heads() -> None:
    async def client(port: int) -> None:
        size = MAX_HEAD_BYTES * 4
        whole = GET.replace(b"GET", b"POST") + b"connection: close\r\ncontent-length: %d\r\n\r\n" % size + b"b" * size
        assert (await exchange(port, whole)).endswith(b"%d" % size)
        chunks = b"1\r\nb\r\n" * size
        closed = CHUNKED.replace(b"host", b"connection: close\r\nhost")
        assert (await exchange(port, closed + chunks + b"0\r\nt: a\r\n\r\n")).endswith(b"%d" % size)

    serve(client)


def test_trailers_without_an_end() -> None:
    async def client(port: int) -> None:
        check_refused(await exchange(port, CHUNKED + b"1\r\nb\r\n0\r\n", *[b"t: " + b"a" * 20_000 + b"\r\n"] * 100))

    serve(client)


def test_a_head_that_stops_coming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.05)

    async def client(port: int) -> None:
        assert await exchange(port, GET) == b""
        answer = await exchange(port, GET + b"\r\n", GET)
        assert answer.count(b"HTTP/1.1 200 ") == 1

    serve(client)


def test_a_body_may_take_longer_than_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.01)

    async def client(port: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(CHUNKED + b"1\r")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"\nb\r\n0\r\n\r\n")
        assert (await reader.readuntil(END)).startswith(b"HTTP/1.1 200 ")
        writer.close()

    serve(client)


def test_an_open_connection_without_a_request_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.01)

    async def client(port: int) -> None:
        opened = await asyncio.to_thread(socket.create_connection, (HOST, port))
        await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection(sock=opened)
        writer.write(GET + b"\r\n")
        assert (await reader.readuntil(END)).startswith(b"HTTP/1.1 200 ")
        writer.close()

    serve(client)
