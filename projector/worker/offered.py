"""Records that were offered to a partition and wait to be applied."""

from collections import deque
from collections.abc import Callable, Sequence

from ingest.log import LogRecord

FULL_BYTES = 4 << 20
"""Records of so much memory may wait to be applied before who brings it is told to stop."""


class Offered:
    """A queue, bounded by who looks at ``full``; what is just being applied counts until it is ``done``."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """``changed`` is called when it becomes full, or has room again."""
        self.full = False
        self._changed = changed
        self._waiting: deque[tuple[Sequence[LogRecord], int]] = deque()
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, records: Sequence[LogRecord]) -> None:
        """Here are records, one at least, in order."""
        size = sum([record.size for record in records])
        self._waiting.append((records, size))
        self._bytes += size
        if self._bytes >= FULL_BYTES and not self.full:
            self.full = True
            self._changed()

    def take(self) -> tuple[Sequence[LogRecord], int]:
        """What was offered next, with all that follows on it, and its size: a commit and a frame for many records."""
        records, size = self._waiting.popleft()
        run = list(records)
        while self._waiting and self._waiting[0][0][0].offset == run[-1].offset + 1:
            records, more = self._waiting.popleft()
            run += records
            size += more
        return run, size

    def done(self, size: int) -> None:
        """Records of ``size`` that were taken are applied."""
        self._bytes -= size
        if self.full and self._bytes <= FULL_BYTES // 2:
            self.full = False
            self._changed()

    def drop(self) -> None:
        """Forget what waits."""
        waiting = sum([size for _, size in self._waiting])
        self._waiting.clear()
        self.done(waiting)
