"""What a connection does with requests, and with clients that don't behave as most do."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from compose.http import backpressure, connection
from ingest.http.exchange import App, ClientGoneError, Exchange
from ingest.http.under_way import UNDER_WAY, is_alone
from tests.support.memory_http import MemoryClient

TEXT = b"text/plain"
END = b"\r\n\r\n"


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", *headers, "", ""]).encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", f"content-length: {len(body)}", *headers, "", ""]).encode() + body


class Gate:
    """Answers with the path and the body; what is for ``/wait`` waits until the gate is open."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.begun: list[str] = []
        self.gone: list[str] = []

    async def __call__(self, exchange: Exchange) -> None:
        path = exchange.head.path
        self.begun.append(path)
        if path == "/wait":
            await self.open.wait()
        if path == "/fail":
            raise ValueError("a mistake")
        if path == "/fail-later":
            exchange.start(200, (), 10)
            await exchange.write(b"begun")
            raise ValueError("a mistake")
        if path == "/cancelled":
            raise asyncio.CancelledError
        if path == "/nothing":
            return
        if path == "/unread":
            exchange.answer(404, TEXT, (), b"")
            return
        if path == "/left":
            await exchange.left()
            self.gone.append(path)
            return
        try:
            body = await exchange.receive_rest()
        except ClientGoneError:
            self.gone.append(path)
            raise
        exchange.answer(200, TEXT, (), path.encode() + b" " + body)


Check = Callable[[MemoryClient, Gate], Awaitable[None]]


def run(check: Check, app: App | None = None) -> None:
    async def main() -> None:
        gate = Gate()
        client = MemoryClient(app or gate)
        async with asyncio.timeout(60):
            await check(client, gate)
            gate.open.set()
            await client.ended()

    asyncio.run(main())


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


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


def test_a_client_that_does_not_read_is_answered_no_further() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.connection.pause_writing()
        client.send(get("/a") + get("/b"))
        await settle()
        assert gate.begun == []
        client.connection.resume_writing()
        assert [(await client.answer()).body for _ in range(2)] == [b"/a ", b"/b "]

    run(check)


def test_a_client_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backpressure, "STALLED_SECONDS", 0.0)

    async def check(client: MemoryClient, gate: Gate) -> None:
        client.connection.pause_writing()
        client.send(get("/a"))
        await client.transport.changed()
        assert client.transport.told == ["closed"]
        client.leave()
        assert gate.begun == []

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
    monkeypatch.setattr(connection, "SOON_SECONDS", 0.0)

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


def test_an_answer_that_fails_in_its_middle_ends_the_connection() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/fail-later") + get("/b"))
        await settle()
        assert client.transport.told[-1] == "closed"
        assert client.transport.written.endswith(END + b"begun")
        client.connection.pause_writing()
        client.connection.resume_writing()
        await settle()
        assert gate.begun == ["/fail-later"]

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


def test_what_is_no_http_is_refused() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(b"\x16\x03\x01")
        answer = await client.answer()
        assert (answer.status, (b"connection", b"close") in answer.headers) == (400, True)
        assert "no HTTP" in json.loads(answer.body)["status"]["error"]
        client.send(get("/a"))
        await settle()
        assert gate.begun == []

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


def test_a_body_that_is_no_http_is_refused() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n")
        await settle()
        client.send(b"x\r\n")
        assert (await client.answer()).status == 400
        await settle()
        assert gate.gone == ["/a"]

    run(check)


def test_a_refused_client_may_go_on_sending_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.02)

    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(b"\x16\x03\x01")
        await client.answer()
        assert not client.transport.is_closing()
        await client.transport.changed()
        assert client.transport.told == ["closed"]

    run(check)


BEGUN = b"POST /unread HTTP/1.1\r\nconnection: close\r\ncontent-length: 200000\r\n\r\n" + bytes(100_000)


def test_a_body_may_come_to_its_end_behind_the_last_answer() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(BEGUN)
        answer = await client.answer()
        assert (answer.status, (b"connection", b"close") in answer.headers) == (404, True)
        await settle()
        assert not client.transport.is_closing()
        assert not client.transport.paused
        client.send(bytes(100_000) + get("/b"))
        assert client.transport.told == ["closed"]
        await settle()
        assert gate.begun == ["/unread"]

    run(check)


def test_a_body_may_not_come_for_ever_behind_the_last_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.02)

    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(BEGUN)
        await client.answer()
        await client.transport.changed()
        assert client.transport.told == ["closed"]

    run(check)


def test_what_is_no_http_is_not_answered_behind_the_last_answer() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(b"POST /unread HTTP/1.1\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n")
        await client.answer()
        client.send(b"x\r\n")
        assert client.transport.told == ["closed"]

    run(check)


def test_a_request_whose_body_comes_behind_the_last_answer_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SOON_SECONDS", 60.0)

    async def check(client: MemoryClient, gate: Gate) -> None:
        late = post("/late", b"12")
        client.send(get("/wait") + late[:-2])
        await settle()
        client.connection.shut_down()
        gate.open.set()
        assert (b"connection", b"close") in (await client.answer()).headers
        client.send(late[-2:-1])
        await settle()
        client.send(late[-1:])
        await settle()
        assert client.transport.told == ["closed"]
        assert gate.begun == ["/wait"]

    run(check)


def test_an_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.05)

    async def check(client: MemoryClient, gate: Gate) -> None:
        for _ in range(2):
            client.send(get("/a"))
            await client.answer()
        client.send(get("/wait"))
        await asyncio.sleep(0.1)
        assert not client.transport.is_closing()
        gate.open.set()
        await client.answer()
        await client.transport.changed()
        assert client.transport.told == ["closed"]

    run(check)


def test_the_last_request_ends_the_connection() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/a", "connection: close") + get("/b"))
        answer = await client.answer()
        assert (answer.body, (b"connection", b"close") in answer.headers) == (b"/a ", True)
        assert client.transport.told == ["closed"]
        assert gate.begun == ["/a"]

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


def test_an_idle_connection_is_shut_down_at_once() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/a"))
        await client.answer()
        client.connection.shut_down()
        assert client.transport.told == ["closed"]

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


@pytest.mark.parametrize("end", ["", "connection: close"])
def test_a_connection_is_shut_down_at_once_whose_request_was_answered_before_its_end(end: str) -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(BEGUN.replace(b"connection: close", end.encode() or b"x: 1"))
        await client.answer()
        client.connection.shut_down()
        assert client.transport.told == ["closed"]

    run(check)
