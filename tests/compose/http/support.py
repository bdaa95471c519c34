"""An application whose answers wait to be allowed, and what clients send to it."""

import asyncio
from collections.abc import Awaitable, Callable

from ingest.http.exchange import App, ClientGoneError, Exchange
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
