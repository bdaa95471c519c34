"""How a connection ends: by its last answer, what is no HTTP, a client that does nothing, a server that stops."""

import asyncio
import gc
import json
import weakref

import pytest

from compose.http import backpressure, patience
from tests.compose.http.support import END, Gate, get, post, run, settle
from tests.support.memory_http import MemoryClient


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
    monkeypatch.setattr(patience, "LINGER_SECONDS", 0.02)

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
    monkeypatch.setattr(patience, "LINGER_SECONDS", 0.02)

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
    monkeypatch.setattr(patience, "SOON_SECONDS", 60.0)

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
    monkeypatch.setattr(patience, "KEEP_ALIVE_SECONDS", 0.05)

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


def test_an_idle_connection_is_shut_down_at_once() -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(get("/a"))
        await client.answer()
        client.connection.shut_down()
        assert client.transport.told == ["closed"]

    run(check)


@pytest.mark.parametrize("end", ["", "connection: close"])
def test_a_connection_is_shut_down_at_once_whose_request_was_answered_before_its_end(end: str) -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        client.send(BEGUN.replace(b"connection: close", end.encode() or b"x: 1"))
        await client.answer()
        client.connection.shut_down()
        assert client.transport.told == ["closed"]

    run(check)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", get("/a"), BEGUN, get("/a") * 2000], ids=len)
def test_nothing_of_a_connection_waits_for_a_collection_of_garbage(sent: bytes) -> None:
    async def check(client: MemoryClient, gate: Gate) -> None:
        gone = weakref.ref(client.connection)
        client.send(sent)
        await settle()
        await client.ended()
        del client.connection
        await settle()
        assert gone() is None

    gc.disable()
    try:
        run(check)
    finally:
        gc.enable()
