"""Catching up: when a worker that has loaded its feeds is near enough to the end of the log to answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from ingest.log import Log, LogUnavailableError, Topic
from projector.waiters import Waiters

LOOK_SECONDS = 0.05
STILL_SECONDS = 0.2
"""Between looks while nothing moves."""
STALLED_SECONDS = 10.0
"""A feed that has not moved for so long has no projector, or a stuck one: answering from old views is better than
not at all, and whoever needs new ones waits for them by offset."""
READ_BYTES = 1

_logger = structlog.get_logger("headwater.api")


@dataclass(slots=True)
class Target:
    """One partition on its way to ``end``, the offset after the last record when the way began."""

    topic: Topic
    partition: int
    waiters: Waiters
    end: int

    @property
    def missing(self) -> int:
        """How many offsets are not visible yet."""
        return max(0, self.end - 1 - self.waiters.visible)


async def catch_up(
    log: Log, targets: list[Target], say: Callable[[str], None], stalled_seconds: float = STALLED_SECONDS
) -> None:
    """Return once everything below the targets' ends is visible, or nothing has moved for ``stalled_seconds``."""
    time = asyncio.get_running_loop().time
    left: list[Target] = [target for target in targets if target.missing]
    missing, moved = -1, time()
    while left:
        now = sum(target.missing for target in left)
        if now != missing:
            missing, moved = now, time()
            say(f"catching up with the log: {missing} records to go")
            await asyncio.sleep(LOOK_SECONDS)
        elif time() - moved >= stalled_seconds:
            _logger.warning("the projector does not get on; old views are served", missing=missing)
            return
        else:
            left = [target for target in left if not await _at_end(log, target)]
            await asyncio.sleep(STILL_SECONDS if left else 0)
        left = [target for target in left if target.missing]


async def _at_end(log: Log, target: Target) -> bool:
    """Whether the offsets that are missing are without a record: those of Kafka's own."""
    try:
        records = await log.read(target.topic, target.partition, target.waiters.visible + 1, READ_BYTES)
    except LogUnavailableError:
        return False
    return not records or records[0].offset >= target.end
