"""HTTP without a network: the server's own connections, over transports in memory."""

import asyncio

import httptools
import httpx

from compose.http.connection import Connection
from compose.http.connections import Connections
from ingest.http.exchange import App


class MemoryTransport(asyncio.Transport):
    """Keeps what a server writes. ``told`` says what else the server did, in order, a write as its bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes | str] = []
        self.paused = False
        self._closing = False
        self._changed = asyncio.Event()

    @property
    def written(self) -> bytes:
        return b"".join(part for part in self.told if isinstance(part, bytes))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closing:
            self._note(bytes(data))

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._note("closed")

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    async def changed(self) -> None:
        """Wait for the next thing that the server does."""
        self._changed.clear()
        await self._changed.wait()

    def _note(self, what: bytes | str) -> None:
        self.told.append(what)
        self._changed.set()


class MemoryClient:
    """One connection to an application. For the running event loop."""

    def __init__(self, app: App) -> None:
        self.transport = MemoryTransport()
        self.connections = Connections(app)
        self.connection = Connection(self.connections)
        self.connection.connection_made(self.transport)
        self._is_open = True

    def send(self, data: bytes) -> None:
        """What a network hands over at once."""
        self.connection.data_received(data)

    def leave(self) -> None:
        """Close the connection, as the client."""
        if self._is_open:
            self._is_open = False
            self.transport.close()
            self.connection.connection_lost(None)

    async def ended(self) -> None:
        """Close the connection, and wait until nothing is done for it any more."""
        self.leave()
        await self.connections.ended()

    async def answer(self) -> "MemoryAnswer":
        """The next answer; what the server wrote after it is not looked at."""
        answer = MemoryAnswer()
        at = 0
        while not answer.complete:
            told = self.transport.told
            while at < len(told) and not answer.complete:
                part = told[at]
                at += 1
                if isinstance(part, bytes):
                    answer.feed(part)
                elif not answer.complete:
                    raise httpx.RemoteProtocolError(f"{part} before the answer's end")
            if not answer.complete:
                await self.transport.changed()
        del self.transport.told[:at]
        return answer


class MemoryAnswer:
    """An answer as its bytes come."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.pieces: list[bytes] = []
        """The body as it was written."""
        self.complete = False
        self._parser = httptools.HttpResponseParser(self)

    @property
    def status(self) -> int:
        return self._parser.get_status_code()

    def feed(self, data: bytes) -> None:
        before = len(self.body)
        self._parser.feed_data(data)
        if len(self.body) > before:
            self.pieces.append(self.body[before:])

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = self.status != 100


class MemoryHttp(httpx.AsyncBaseTransport):
    """Sends httpx's requests to an application, each over a connection of its own."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        head = [b"%b %b HTTP/1.1\r\n" % (request.method.encode(), request.url.raw_path)]
        named = [(name, value) for name, value in request.headers.raw if name.lower() != b"transfer-encoding"]
        if len(named) < len(request.headers.raw):
            named.append((b"content-length", b"%d" % len(body)))
        head += [b"%b: %b\r\n" % header for header in named]
        client = MemoryClient(self._app)
        try:
            client.send(b"".join([*head, b"\r\n", body]))
            answer = await client.answer()
        finally:
            await client.ended()
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body, request=request)


def memory_client(app: App) -> httpx.AsyncClient:
    """A client of an application in this process."""
    return httpx.AsyncClient(transport=MemoryHttp(app), base_url="http://headwater")
