"""Before a state is closed: nothing works on it any more, and it is made durable."""

import asyncio
from typing import Protocol

import structlog

_logger = structlog.get_logger("headwater.worker")


class Syncable(Protocol):
    """A state."""

    async def sync(self) -> None:
        """Make what was committed survive power loss."""
        ...


async def sync_or_tell(state: Syncable) -> None:
    """Sync; where that fails, log why."""
    try:
        await state.sync()
    except Exception as error:
        # rocksdict has no class of its own for a full disk. Nothing is lost with it: what isn't in the state is on the
        # log, and is folded again at the next start.
        _logger.error("state not synced", reason=str(error))


async def stop(task: asyncio.Task[None] | None) -> None:
    """Cancel a task, if there is one, and return once it has ended."""
    if task is not None:
        task.cancel()
        await asyncio.wait({task})
