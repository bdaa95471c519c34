"""Requests that a client sends before those before them are answered."""

import asyncio

import pytest

from ingest.http.exchange import Exchange
from tests.compose.http.support import TEXT, Gate, get, post, run, settle
from tests.support.memory_http import MemoryClient


def test_requests_that_come_together_are_answered_in_order() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        for _ in range(2):
            client.send(get("/wait") + post("/a", b"1") + get("/b"))
            await settle()
            assert gate.begun == ["/wait"]
            assert client.transport.paused
            gate.open.set()
            assert [(await client.answer()).body for _ in range(3)] == [b"/wait ", b"/a 1", b"/b "]
            assert not client.transport.paused
            gate.begun.clear()
            gate.open.clear()

    run(check)


def test_thousands_of_requests_at_once() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/a") * 5000)
        for _ in range(5000):
            assert (await client.answer()).body == b"/a "

    run(check)


def test_others_have_their_turn_between_requests_that_came_together() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        begun: list[int] = []
        client.send(get("/a") * 20)
        while len(gate.begun) < 20:
            begun.append(len(gate.begun))
            await asyncio.sleep(0)
        assert begun == list(range(20))

    run(check)


def test_what_is_no_http_does_not_keep_earlier_requests_from_their_answers() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/wait") + get("/b") + b"\x16\x03\x01")
        await settle()
        gate.open.set()
        assert (await client.answer()).body == b"/wait "
        answer = await client.answer()
        assert (answer.body, (b"connection", b"close") in answer.headers) == (b"/b ", True)
        assert client.transport.told == ["closed"]

    run(check)


def test_a_connection_that_is_shut_down_answers_what_was_asked() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/wait") + get("/b"))
        await settle()
        client.connection.shut_down()
        gate.open.set()
        first, last = await client.answer(), await client.answer()
        assert (b"connection", b"close") not in first.headers
        assert (last.body, (b"connection", b"close") in last.headers) == (b"/b ", True)
        assert client.transport.told == ["closed"]

    run(check)


def test_no_more_is_looked_at_than_is_begun_soon() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/wait") + get("/a") * 200 + get("/b") * 5000)
        for _ in range(3):
            await settle()
            assert gate.begun == ["/wait"]
            # One is begun, and so many wait.
            assert len(client.connections.heads) == 2
            assert client.transport.paused
        gate.open.set()
        assert (await client.answer()).body == b"/wait "
        for path in [b"/a "] * 200 + [b"/b "] * 5000:
            assert (await client.answer()).body == path
        await settle()
        assert not client.transport.paused
        assert len(client.connections.heads) == 3

    run(check)


def test_tiny_chunks_are_taken_a_few_thousand_at_a_time() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        for _ in range(2):
            client.send(b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20_000)
            assert client.transport.paused
            client.send(b"0\r\n\r\n" + get("/b"))
            assert (await client.answer()).body == b"/a " + b"x" * 20_000
            assert (await client.answer()).body == b"/b "
            assert not client.transport.paused

    run(check)


def test_chunks_that_nobody_receives_are_left_where_they_are() -> None:
    wanted = asyncio.Event()

    async def app(exchange: Exchange) -> None:
        await wanted.wait()
        first = await exchange.receive()
        rest = await exchange.receive_rest()
        assert len(first) < 200_000
        exchange.answer(200, TEXT, (), b"%d" % (len(first) + len(rest)))

    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n" + b"8\r\n12345678\r\n" * 100_000)
        for _ in range(50):
            await settle()
        assert client.transport.paused
        wanted.set()
        client.send(b"0\r\n\r\n")
        assert (await client.answer()).body == b"800000"
        assert not client.transport.paused

    run(check, app)


@pytest.mark.parametrize("many", [20, 2000])
def test_all_that_came_before_a_shutdown_is_answered(many: int) -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/wait") + get("/a") * many + get("/b") + get("/cut short")[:-5])
        await settle()
        client.connection.shut_down()
        gate.open.set()
        answers = [await client.answer() for _ in range(many + 2)]
        assert [answer.body for answer in answers[1:]] == [b"/a "] * many + [b"/b "]
        await settle()
        assert client.transport.told == ["closed"]

    run(check)


def test_what_is_no_http_behind_many_requests_is_refused_after_them() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/wait") + get("/a") * 2000 + b"\x16\x03\x01")
        await settle()
        gate.open.set()
        for _ in range(2001):
            assert (await client.answer()).status == 200
        await settle()
        assert client.transport.told == ["closed"]

    run(check)


def test_a_client_that_leaves_behind_many_requests() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/wait") + get("/a") * 2000)
        await settle()
        client.leave()
        gate.open.set()
        await settle()
        assert gate.begun == ["/wait"]

    run(check)
