"""ReadLag: where reads of a worker don't show what is on the log."""

from collections.abc import Mapping

from prometheus_client import Gauge

from compose.api.log_ends import LogEnds
from ingest.log import Log

STILL_LOOKS = 2
"""After so many looks at which nothing had moved, reads count as behind: a projector that is busy gets on."""

BEHIND = Gauge(
    "headwater_reads_behind_records",
    "Offsets on the log that reads don't show, as of the last seconds; with several workers the most",
    ["partition"],
    multiprocess_mode="livemax",
)


class ReadLag:
    """Looks at the points partitions whenever it is told to."""

    def __init__(self, log: Log) -> None:
        self._ends = LogEnds(log)
        self._seen: dict[int, int] = {}
        self._still: dict[int, int] = {}
        self._queued: dict[int, int] = {}

    async def look(self, visible: Mapping[int, int]) -> None:
        """``visible``: partition -> the visible offset here."""
        for partition, offset in visible.items():
            queued = self._queued[partition] = await self._ends.queued(partition, offset)
            moved = self._seen.get(partition) != offset
            self._seen[partition] = offset
            self._still[partition] = 0 if moved or not queued else self._still.get(partition, 0) + 1
            BEHIND.labels(partition).set(queued)

    @property
    def trouble(self) -> str:
        """Which partitions are behind and don't get nearer; empty when none is."""
        stuck = [p for p, looks in sorted(self._still.items()) if looks >= STILL_LOOKS]
        return ", ".join(f"points-{p} by {self._queued[p]} records" for p in stuck)
