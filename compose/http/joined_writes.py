"""An answer in one write: its head waits for its body.

uvicorn writes them one after the other and uvloop hands each to the system at once, so that an answer costs two calls
of the system here, and wakes its reader twice.
"""

import asyncio
from typing import Any

_JOINED_BYTES = 1 << 16
"""A longer body is not copied to be joined to its head."""
_HEAD = b"HTTP/1."
_INTERIM = b"HTTP/1.1 1"


class JoinedWrites:
    """A transport as uvicorn's protocols use it. A head waits for what is written next, or for the loop's next turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        """Write, after what waits."""
        head, self._head = self._head, None
        if head is not None and len(data) <= _JOINED_BYTES:
            self._transport.write(head + data)
        elif head is not None:
            self._transport.write(head)
            self._transport.write(data)
        elif data.startswith(_HEAD) and not data.startswith(_INTERIM):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Write what waits, and close."""
        self._flush()
        self._transport.close()

    def write_eof(self) -> None:
        """Write what waits, and nothing more."""
        self._flush()
        self._transport.write_eof()

    def _flush(self) -> None:
        head, self._head = self._head, None
        if head is not None and not self._transport.is_closing():
            self._transport.write(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
