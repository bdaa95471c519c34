"""What a connection does with requests, and with clients that don't behave as most do."""

import asyncio
import json

import pytest

from compose.http import patience
from ingest.http.exchange import Exchange
from ingest.http.under_way import UNDER_WAY, is_alone
from tests.compose.http.support import END, TEXT, Gate, get, post, run, settle
from tests.support.memory_http import MemoryClient


def test_a_client_that_does_not_read_is_answered_no_further() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.connection.pause_writing()
        client.send(get("/a") + get("/b"))
        await settle()
        assert gate.begun == []
        client.connection.resume_writing()
        assert [(await client.answer()).body for _ in range(2)] == [b"/a ", b"/b "]

    run(check)


def test_pieces_wait_for_the_client() -> None:
    async def in_pieces(exchange: Exchange) -> None:
        exchange.start(200, (), 2)
        for piece in (b"a", b"b"):
            await exchange.write(piece)
            client.connection.pause_writing()
        exchange.finish()

    async def check(client_: MemoryClient, gate: Gate) -> None:
        nonlocal client
        client = client_
        client.send(get("/"))
        await settle()
        assert client.transport.written.endswith(END + b"a")
        client.connection.resume_writing()
        await settle()
        assert client.transport.written.endswith(END + b"ab")
        client.send(get("/"))
        await settle()
        client.leave()

    client: MemoryClient
    run(check, in_pieces)


def test_a_body_is_received_as_it_comes() -> None:
    async def count(exchange: Exchange) -> None:
        while data := await exchange.receive():
            sizes.append(len(data))
        exchange.answer(200, TEXT, (), b"")

    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(b"POST / HTTP/1.1\r\ncontent-length: 300000\r\n\r\n" + bytes(100_000))
        assert client.transport.paused
        await settle()
        assert sizes == [100_000]
        assert not client.transport.paused
        client.send(bytes(10))
        client.send(bytes(199_990))
        assert (await client.answer()).status == 200
        assert sizes == [100_000, 200_000]

    sizes: list[int] = []
    run(check, count)


def test_a_body_that_came_at_once_is_received_once() -> None:
    async def twice(exchange: Exchange) -> None:
        exchange.answer(200, TEXT, (), await exchange.receive() + b"/" + await exchange.receive())

    async def check(client: MemoryClient, gate: Gate) -> None:
        for _ in range(2):
            client.send(post("/", b"ab"))
            assert (await client.answer()).body == b"ab/"

    run(check, twice)


def test_a_whole_body_is_received_without_a_pause() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        for _ in range(2):
            client.send(b"POST / HTTP/1.1\r\ncontent-length: 300000\r\n\r\n")
            await settle()
            for _ in range(3):
                client.send(bytes(100_000))
                assert not client.transport.paused
            assert len((await client.answer()).body) == 300_002

    run(check)


def test_a_short_body_is_waited_for_before_its_request_is_begun() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        for _ in range(2):
            whole = post("/a", b"12")
            client.send(whole[:-2])
            await settle()
            client.send(whole[-2:-1])
            await settle()
            assert gate.begun == []
            client.send(whole[-1:] + get("/b"))
            assert [(await client.answer()).body for _ in range(2)] == [b"/a 12", b"/b "]
            gate.begun.clear()

    run(check)


def test_a_short_body_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SOON_SECONDS", 0.0)

    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(post("/a", b"12")[:-1])
        while not gate.begun:
            await asyncio.sleep(0.001)
        client.send(b"2")
        assert (await client.answer()).body == b"/a 12"

    run(check)


def test_what_is_left_of_a_request_that_was_answered_is_thrown_away() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(b"POST /unread HTTP/1.1\r\ncontent-length: 200000\r\n\r\n" + bytes(100_000))
        assert (await client.answer()).status == 404
        assert not client.transport.paused
        client.send(bytes(100_000) + get("/b"))
        assert (await client.answer()).body == b"/b "

    run(check)


def test_a_client_is_told_to_go_on_where_its_body_is_wanted() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        asked = post("/a", b"12", "expect: 100-continue")
        client.send(asked[:-2])
        await settle()
        assert client.transport.told == [b"HTTP/1.1 100 Continue\r\n\r\n"]
        client.transport.told.clear()
        client.send(asked[-2:])
        assert (await client.answer()).body == b"/a 12"
        client.send(asked.replace(b"/a", b"/unread")[:-2])
        answer = await client.answer()
        assert (answer.status, (b"connection", b"close") in answer.headers) == (404, True)
        assert client.transport.is_closing()

    run(check)


@pytest.mark.parametrize("path", ["/fail", "/cancelled", "/nothing"])
def test_a_request_that_fails_is_answered(path: str) -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get(path) + get("/b"))
        answer = await client.answer()
        assert answer.status == 500
        assert "see the server's log" in json.loads(answer.body)["status"]["error"]
        assert (await client.answer()).body == b"/b "

    run(check)


def test_a_client_that_leaves() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(b"POST /a HTTP/1.1\r\ncontent-length: 100000\r\n\r\n")
        await settle()
        await client.ended()
        assert gate.gone == ["/a"]

    run(check)


def test_a_client_that_leaves_while_it_waits() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/left") + get("/b"))
        await settle()
        await client.ended()
        assert gate.gone == ["/left"]
        assert gate.begun == ["/left"]
        assert client.transport.written == b""

    run(check)


def test_a_request_is_under_way_until_it_is_answered() -> None:
    alone: list[bool] = []

    async def ask(exchange: Exchange) -> None:
        alone.append(is_alone())
        await settle()
        exchange.answer(200, TEXT, (), b"")

    async def check(client: MemoryClient, gate: Gate) -> None:
        other = MemoryClient(ask)
        for _ in range(2):
            client.send(get("/"))
            await client.answer()
            client.send(get("/") * 2)
            await client.answer()
            await client.answer()
        client.send(get("/"))
        other.send(get("/"))
        await client.answer()
        await other.answer()
        client.send(get("/"))
        await client.answer()
        await other.ended()
        assert alone == [True] * 6 + [False] * 2 + [True]

    run(check, ask)
    assert not UNDER_WAY
