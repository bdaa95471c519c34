"""A client that doesn't take what it is sent: what waits for it, and for how long."""

import asyncio
import contextlib
import fcntl
import sys
import termios

STALLED_SECONDS = 60.0
"""How long a client may take nothing: what it doesn't take is kept for it, which may be hundreds of megabytes."""


class Backpressure:
    """From when a transport's buffer is full until it isn't any more. A client that takes nothing meanwhile is cut off.

    For the running event loop.
    """

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._left = _untaken(transport)
        self._timer = self._loop.call_later(STALLED_SECONDS, self._look)

    async def wait(self) -> None:
        """Wait until there is room."""
        await self._ended.wait()

    def end(self) -> None:
        """There is room, or nobody any more."""
        self._timer.cancel()
        self._ended.set()

    def _look(self) -> None:
        left = _untaken(self._transport)
        if left == self._left:
            self._transport.abort()
            return
        self._left = left
        self._timer = self._loop.call_later(STALLED_SECONDS, self._look)


def _untaken(transport: asyncio.WriteTransport) -> int:
    """How many bytes the client's system has not confirmed."""
    size = transport.get_write_buffer_size()
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # The system asks for more only once a third of its own buffer is free, which may be a megabyte.
        with contextlib.suppress(OSError):
            sent = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
            size += int.from_bytes(sent, sys.byteorder)
    return size
