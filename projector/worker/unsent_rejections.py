"""Records that were rejected before their partition was opened, and of which that was perhaps not sent."""

from collections import deque
from collections.abc import Callable
from itertools import islice

from ingest.log import Log, LogRecord
from ingest.outcomes import Reject, Rejection
from projector.fold.window import decode
from projector.state.store import PartitionState
from projector.worker.rejected import belongs_there, records_at
from projector.worker.retry import when_available
from schemas.operations import Outcome

MOST_AT_ONCE = 1000


class UnsentRejections:
    """Those of one points partition from an offset on."""

    def __init__(self, log: Log, partition: int, state: PartitionState, begin: int) -> None:
        self._log = log
        self._partition = partition
        self._state = state
        self._offsets = deque(offset for offset, _ in state.outcomes_since(begin))

    @property
    def first(self) -> int | None:
        """The offset of the first that is not sent yet; None when all are."""
        return self._offsets[0] if self._offsets else None

    async def send(self, reject: Reject, lost: Callable[[int], None]) -> None:
        """Send them all, however long the log can't be reached; ``lost`` is told of those that were deleted."""
        what = f"records of points-{self._partition} to reject"
        while self._offsets:
            some = list(islice(self._offsets, MOST_AT_ONCE))
            records = await when_available(lambda some=some: records_at(self._log, self._partition, some), what)
            some = [offset for offset in some if not records or offset <= max(records)]
            found = [record for offset in some if (record := records.get(offset)) is not None and _is_to_send(record)]
            if found:
                await reject([Rejection(record, self._state.outcomes(record.offset)) for record in found])
            for offset in some:
                if offset not in records:
                    lost(offset)
                self._offsets.popleft()


def _is_to_send(record: LogRecord) -> bool:
    return belongs_there(record, readable=not isinstance(decode(record), Outcome))
