"""A server's beginning and end."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trustme
import uvloop
from structlog.testing import capture_logs

from compose.http import server
from compose.http.server import HttpServer, bind
from ingest.http.exchange import Exchange

HOST = "127.0.0.1"
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


class Slow:
    """Answers once it may."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = False

    async def __call__(self, exchange: Exchange) -> None:
        self.begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        exchange.answer(200, b"text/plain", (), b"done")


class Fair:
    """What a process knows of others: nobody has fewer."""

    def __init__(self) -> None:
        self.noted: list[int] = []

    def note(self, connections: int) -> None:
        self.noted.append(connections)

    def is_next(self, connections: int) -> bool:
        return True


def run(check: Callable[[HttpServer, int, Slow], Awaitable[None]], balance: Fair | None = None) -> None:
    async def main() -> None:
        slow, listener = Slow(), bind(HOST, 0)
        made = HttpServer(slow, listener, balance)
        port = listener.getsockname()[1]
        async with asyncio.timeout(60):
            serving = asyncio.create_task(made.run())
            await check(made, port, slow)
            made.stop()
            await serving
            with pytest.raises(ConnectionError):
                await asyncio.open_connection(HOST, port)

    uvloop.run(main())


@pytest.mark.parametrize("balance", [None, Fair()], ids=["alone", "with others"])
def test_what_was_asked_before_the_end_is_answered(balance: Fair | None) -> None:
    async def check(made: HttpServer, port: int, slow: Slow) -> None:
        idle, _ = await asyncio.open_connection(HOST, port)
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(GET)
        await slow.begun.wait()
        made.stop()
        assert await idle.read() == b""
        slow.go_on.set()
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"connection: close\r\n" in answer
        assert answer.endswith(b"\r\n\r\ndone")

    run(check, balance)
    if balance is not None:
        assert max(balance.noted) == 2
        assert balance.noted[-1] == 0


def test_what_takes_too_long_at_the_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "GRACE_SECONDS", 0.05)

    async def check(made: HttpServer, port: int, slow: Slow) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(GET)
        await slow.begun.wait()
        made.stop()
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        assert slow.cancelled

    run(check)


def test_what_was_answered_but_not_taken_at_the_end_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "GRACE_SECONDS", 0.05)

    async def main() -> None:
        answered = asyncio.Event()

        async def answer(exchange: Exchange) -> None:
            exchange.answer(200, b"text/plain", (), bytes(64 << 20))
            answered.set()

        listener = bind(HOST, 0)
        made = HttpServer(answer, listener)
        async with asyncio.timeout(60):
            serving = asyncio.create_task(made.run())
            with socket.create_connection(listener.getsockname()) as client:
                client.sendall(GET)
                await answered.wait()
                made.stop()
                await serving

    with capture_logs() as logs:
        uvloop.run(main())
    [told] = [log for log in logs if log["log_level"] == "warning"]
    assert (told["requests"], told["connections"]) == (0, 1)


@pytest.mark.parametrize("balance", [None, Fair()], ids=["alone", "with others"])
def test_a_client_that_does_not_say_that_it_saw_the_end_is_not_waited_for(
    balance: Fair | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "GRACE_SECONDS", 10)
    monkeypatch.setattr(server, "FAREWELL_SECONDS", 0.05)
    authority: Any = trustme.CA()
    context, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.issue_cert(HOST).configure_cert(context)
    authority.configure_trust(trusting)

    async def answer(exchange: Exchange) -> None:
        exchange.answer(200, b"text/plain", (), b"done")

    def ask(address: tuple[str, int]) -> ssl.SSLSocket:
        client = trusting.wrap_socket(socket.create_connection(address), server_hostname=HOST)
        client.sendall(GET)
        assert client.recv(1 << 10).startswith(b"HTTP/1.1 200 OK")
        return client

    async def main() -> None:
        listener = bind(HOST, 0)
        made = HttpServer(answer, listener, balance, context)
        async with asyncio.timeout(60):
            serving = asyncio.create_task(made.run())
            with await asyncio.to_thread(ask, listener.getsockname()):
                made.stop()
                await serving

    with capture_logs() as logs:
        uvloop.run(main())
    assert not [log for log in logs if log["log_level"] == "warning"]
