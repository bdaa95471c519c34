"""How far the partitions are that a worker has opened and that still catch up with the log."""

from collections.abc import Callable

from ingest.log import Topic
from projector.worker.metrics import CATCH_UP_REMAINING

Partition = tuple[Topic, int]

Report = Callable[[int, int], None]
"""Told how many offsets are done, of how many."""


def ignore_report(done: int, total: int) -> None:
    """For workers that nobody watches."""


class CatchingUp:
    """Adds up over partitions, which begin and end at any time; begins anew once none is left."""

    def __init__(self, report: Report = ignore_report) -> None:
        self._report = report
        self._behind: dict[Partition, int] = {}
        self._left: dict[Partition, int] = {}

    def begin(self, partition: Partition, behind: int) -> None:
        """A partition has ``behind`` offsets to go."""
        self._behind[partition] = behind
        self.advance(partition, behind)

    def advance(self, partition: Partition, left: int) -> None:
        """It has ``left`` of them to go now."""
        self._left[partition] = left
        self._tell(partition)

    def end(self, partition: Partition) -> None:
        """It has caught up, or was given up."""
        if partition not in self._behind:
            return
        self.advance(partition, 0)
        if not any(self._left.values()):
            self._behind.clear()
            self._left.clear()

    def _tell(self, partition: Partition) -> None:
        CATCH_UP_REMAINING.labels(*partition).set(self._left[partition])
        total = sum(self._behind.values())
        if total:
            self._report(total - sum(self._left.values()), total)
