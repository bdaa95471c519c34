"""Work on a thread that must not be left behind."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar


class Closable(Protocol):
    """What has to be closed once it is open."""

    def close(self) -> None:
        """Release everything."""
        ...


T = TypeVar("T")
OpenT = TypeVar("OpenT", bound=Closable)


async def to_its_end(work: Awaitable[T]) -> T:
    """Cancelled, wait for the end all the same: a thread may be using what is closed next."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def open_aside(opening: Callable[[], OpenT]) -> OpenT:
    """What ``opening`` returns, which runs on a thread; cancelled, it is closed again. Raises what it raises."""
    task = asyncio.ensure_future(asyncio.to_thread(opening))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled() and task.exception() is None:
            task.result().close()
        raise
