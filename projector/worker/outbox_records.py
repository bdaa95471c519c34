"""The records that a partition's outbox has entries of: kept since they were applied, or read again."""

from collections.abc import Sequence
from itertools import takewhile

from ingest.foreign import Destination
from ingest.log import Log, LogDamagedError, LogRecord, Topic
from projector.state.store import PartitionState
from projector.worker.retry import when_available

READ_BYTES = 1 << 20
FEW_BYTES = 64 << 10
FEW = 8
"""Of so few records, most are read alone."""
KEPT_BYTES = 4 << 20
"""Of what was just applied, so much is kept in memory until it is forwarded; the rest is read again."""

Entries = Sequence[tuple[int, Destination]]
"""(offset, destination), in order."""


class OutboxRecords:
    """Of one points partition."""

    def __init__(self, log: Log, partition: int, state: PartitionState) -> None:
        self._log = log
        self._partition = partition
        self._state = state
        self._kept: dict[int, LogRecord] = {}
        self._kept_bytes = 0

    def keep(self, records: Sequence[LogRecord]) -> None:
        """These were just applied, in order: keep those that the outbox has, as far as there is room."""
        if not records or self._kept_bytes >= KEPT_BYTES:
            return
        entries = dict(self._state.outbox(records[0].offset, len(records)))
        outgoing = [record for record in records if record.offset in entries]
        self._kept.update((record.offset, record) for record in outgoing)
        self._kept_bytes += sum(record.size for record in outgoing)

    async def read(self, entries: Entries) -> tuple[dict[int, LogRecord], int]:
        """The records from the first entry on, as far as they were kept or one read goes, by offset; and how far.

        Those that were deleted are left out. Waits while the log can't be reached. Raises LogDamagedError.
        """
        kept = takewhile(lambda record: record is not None, (self._kept.get(offset) for offset, _ in entries))
        if found := {record.offset: record for record in kept if record is not None}:
            return found, max(found)
        first, size = entries[0][0], READ_BYTES if len(entries) > FEW else FEW_BYTES
        log, place = self._log, (Topic.POINTS, self._partition)
        what = f"records of points-{self._partition} to forward"
        records = await when_available(lambda: log.read(*place, first, size), what)
        if records:
            return {record.offset: record for record in records}, records[-1].offset
        start = await when_available(lambda: log.start_offset(*place), what)
        if start <= first:
            raise LogDamagedError(f"points-{self._partition} ends before offset {first}, which was applied")
        return {}, start - 1

    def forget(self, last: int) -> None:
        """Records up to ``last`` are forwarded."""
        for offset in [offset for offset in self._kept if offset <= last]:
            self._kept_bytes -= self._kept.pop(offset).size
