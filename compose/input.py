"""Reading a file or standard input piece by piece, as it comes, without holding up the event loop."""

import asyncio
from collections.abc import AsyncGenerator
from threading import Thread
from typing import Protocol

CHUNK_BYTES = 1 << 20


class ByteSource(Protocol):
    """A file or a stream that is read in binary."""

    def read1(self, size: int, /) -> bytes:
        """What there is, at most ``size`` bytes; waits where there is nothing yet. Empty at the end."""
        ...


async def chunks(source: ByteSource) -> AsyncGenerator[bytes]:
    """What ``source`` gives until its end, at most CHUNK_BYTES at a time; one piece is read ahead."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | OSError] = asyncio.Queue(1)

    def read() -> None:
        chunk: bytes | OSError = b" "
        while isinstance(chunk, bytes) and chunk:
            try:
                chunk = source.read1(CHUNK_BYTES)
            except OSError as error:
                chunk = error
            try:
                asyncio.run_coroutine_threadsafe(queue.put(chunk), loop).result()
            except RuntimeError:
                return  # the loop is gone, and with it whoever would read

    # A daemon: a terminal or a pipe may never give anything again, and the process must be able to end all the same.
    Thread(target=read, name="input", daemon=True).start()
    while chunk := await queue.get():
        if isinstance(chunk, OSError):
            raise chunk
        yield chunk
