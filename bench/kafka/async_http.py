"""An HTTP/1.1 client for an event loop, as plain as bench.raw_http."""

import asyncio
from collections.abc import Mapping
from typing import Self

from bench.raw_http import HOST, RequestError


class AsyncHttp:
    """A kept connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection(HOST, port))

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()

    async def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """The answer's body. Raises RequestError unless it is a 200."""
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n{more}"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answered = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answered.partition(b"content-length:")[2].partition(b"\r\n")[0])
        found = await self._reader.readexactly(length)
        if not answered.startswith(b"http/1.1 200"):
            raise RequestError(found[:500].decode(errors="replace"))
        return found
