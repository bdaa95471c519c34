"""An answer's head and the first part of its body go out together, framed as HTTP wants it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from compose.http.exchange import HttpExchange
from ingest.http.head import Head

OK = b"HTTP/1.1 200 OK\r\n"
DATE = b"date: now\r\n"
CLOSE = b"connection: close\r\n"
JSON = b"application/json"
TYPE = b"content-type: application/json\r\n"


class Noted:
    """A connection that says what it was told."""

    date = DATE

    def __init__(self) -> None:
        self.told: list[object] = []

    def keeps_open(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.told.append(bytes(data))

    async def writable(self) -> None:
        return

    def on_answered(self, *, close: bool) -> None:
        self.told.append("closed" if close else "done")

    def pause_reading(self) -> None:
        raise AssertionError("there is nothing to read")

    resume_reading = pause_reading


def told(
    act: Callable[[HttpExchange], Awaitable[None]],
    method: str = "GET",
    version: str = "1.1",
    *,
    keep_alive: bool = True,
) -> list[object]:
    """What a connection is told by an answer."""
    noted = Noted()
    head = Head(method, "/", b"/", b"", (), 0, version=version, keep_alive=keep_alive)

    async def answer() -> None:
        await act(HttpExchange(noted, head, b""))

    asyncio.run(answer())
    return noted.told


def in_pieces(
    *pieces: bytes, length: int | None = None, status: int = 200
) -> Callable[[HttpExchange], Awaitable[None]]:
    async def act(exchange: HttpExchange) -> None:
        exchange.start(status, ((b"x", b"1"),), length)
        for piece in pieces:
            await exchange.write(piece)
        exchange.finish()

    return act


def at_once(body: bytes, *, status: int = 200, **headers: str) -> Callable[[HttpExchange], Awaitable[None]]:
    named = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def act(exchange: HttpExchange) -> None:
        exchange.answer(status, JSON, named, body)

    return act


def test_an_answer_is_one_write() -> None:
    assert told(at_once(b"{}")) == [OK + TYPE + DATE + b"content-length: 2\r\n\r\n{}", "done"]
    assert told(at_once(b"", status=404, x="1", y="2")) == [
        b"HTTP/1.1 404 Not Found\r\n" + TYPE + DATE + b"x: 1\r\ny: 2\r\ncontent-length: 0\r\n\r\n",
        "done",
    ]


def test_a_head_waits_for_its_body() -> None:
    head = OK + DATE + b"x: 1\r\ncontent-length: 2\r\n\r\n"
    assert told(in_pieces(b"{", b"}", length=2)) == [head + b"{", b"}", "done"]
    assert told(in_pieces(length=0)) == [head.replace(b"2\r", b"0\r"), "done"]


def test_a_large_body_is_not_copied() -> None:
    data = bytes(1 << 20)
    length = b"content-length: %d\r\n\r\n" % len(data)
    assert told(at_once(data)) == [OK + TYPE + DATE + length, data, "done"]
    assert told(in_pieces(data, length=len(data))) == [OK + DATE + b"x: 1\r\n" + length, data, "done"]


def test_what_has_no_length_goes_in_chunks() -> None:
    head = OK + DATE + b"x: 1\r\ntransfer-encoding: chunked\r\n\r\n"
    assert told(in_pieces(b"abc", b"", b"d")) == [head + b"3\r\nabc\r\n", b"1\r\nd\r\n", b"0\r\n\r\n", "done"]
    older = OK + DATE + b"x: 1\r\n" + CLOSE + b"\r\n"
    assert told(in_pieces(b"abc"), version="1.0", keep_alive=False) == [older + b"abc", "closed"]


def test_what_has_no_body() -> None:
    assert told(in_pieces(status=204)) == [b"HTTP/1.1 204 No Content\r\n" + DATE + b"x: 1\r\n\r\n", "done"]
    assert told(at_once(b"{}"), "HEAD") == [OK + TYPE + DATE + b"content-length: 2\r\n\r\n", "done"]
    head = OK + DATE + b"x: 1\r\ncontent-length: 5\r\n\r\n"
    assert told(in_pieces(length=5), "HEAD") == [head, "done"]
    assert told(in_pieces(b"abcde", length=5), "HEAD") == [head, "done"]


def test_a_connection_is_closed_that_is_not_kept() -> None:
    ended = OK + TYPE + DATE + CLOSE + b"content-length: 0\r\n\r\n"
    assert told(at_once(b""), keep_alive=False) == [ended, "closed"]

    async def act(exchange: HttpExchange) -> None:
        exchange.start(200, (), 0, close=True)
        exchange.finish()

    assert told(act) == [OK + DATE + CLOSE + b"content-length: 0\r\n\r\n", "closed"]


async def twice(exchange: HttpExchange) -> None:
    exchange.answer(200, JSON, (), b"")
    exchange.answer(200, JSON, (), b"")


@pytest.mark.parametrize(
    "act",
    [
        twice,
        in_pieces(b"ab", length=1),
        in_pieces(b"ab", length=3),
        at_once(b"", etag="a\r\nset-cookie: b"),
    ],
    ids=["two answers", "longer", "shorter", "two headers in one"],
)
def test_what_is_no_answer_is_refused(act: Callable[[HttpExchange], Awaitable[None]]) -> None:
    with pytest.raises(RuntimeError):
        told(act)
