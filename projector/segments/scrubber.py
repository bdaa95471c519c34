"""The scrubber: reads all of a segment again after it was opened, and compares checksums."""

import asyncio
import time
from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

import structlog

from projector.segments.errors import SegmentDamagedError
from projector.segments.metrics import CHECKED_BYTES, TO_CHECK
from projector.segments.reader import Segment

RATE_BYTES = 128 << 20
"""How much is read in a second, so that the disk is there for others."""
AGAIN_SECONDS = 24 * 3600.0
POLL_SECONDS = 1.0
RETRY_SECONDS = 60.0

_logger = structlog.get_logger("headwater")

OnDamage = Callable[[Segment, SegmentDamagedError], None]


class Scrubber:
    """Goes through every segment of this process soon after it was opened, again every day, and at once when something
    in it could not be read. Runs on one event loop, and reads on a thread.
    """

    def __init__(
        self,
        segments: Callable[[], Iterable[Segment]],
        on_damage: OnDamage,
        *,
        rate_bytes: int = RATE_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``segments`` are those in use now. ``on_damage`` is told of each that does not have its checksums."""
        self._segments = segments
        self._on_damage = on_damage
        self._rate_bytes = rate_bytes
        self._clock = clock
        self._due: WeakKeyDictionary[Segment, float] = WeakKeyDictionary()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            if not await self.step():
                await asyncio.sleep(POLL_SECONDS)

    async def step(self) -> bool:
        """Go through one segment, the one that waits longest. Returns whether there was one."""
        segments = list(self._segments())
        TO_CHECK.set(sum(segment not in self._due for segment in segments))
        first = min(segments, key=self._due_at, default=None)
        if first is None or self._due_at(first) > self._clock():
            return False
        await self._check(first)
        return True

    def _due_at(self, segment: Segment) -> float:
        return 0.0 if segment.doubted else self._due.get(segment, 0.0)

    async def _check(self, segment: Segment) -> None:
        pause = AGAIN_SECONDS
        pieces = segment.reread()
        try:
            while size := await asyncio.to_thread(next, pieces, 0):
                CHECKED_BYTES.inc(size)
                await asyncio.sleep(size / self._rate_bytes)
        except SegmentDamagedError as error:
            self._on_damage(segment, error)
        except OSError as error:
            pause = RETRY_SECONDS
            _logger.warning("segment can't be checked now", segment=str(segment.folder), reason=str(error))
        self._due[segment] = self._clock() + pause
