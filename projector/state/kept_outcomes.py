"""Outcomes of records of which an operation was rejected.

They are kept for a while for clients that still wait, and until the group that routes has sent the records to the
rejected topic: another group's state may be the one to go on with that.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import takewhile

import msgspec

from projector.state import keys
from projector.state.kv import Batch, KeyValue
from schemas.operations import Outcome

KEPT_OUTCOMES = 10_000
"""For how many offsets they are kept."""

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(list[Outcome])


class KeptOutcomes:
    """By offset, oldest first."""

    def __init__(self, kv: KeyValue) -> None:
        self._kv = kv
        self.needed_from: int | None = None
        """The offset from which on they are kept however long that is; None when there is no such offset."""
        self._offsets = deque(keys.outcome_offset(key) for key, _ in kv.scan(keys.OUTCOME_PREFIX))

    def put(self, batch: Batch, offset: int, outcomes: Sequence[Outcome]) -> None:
        """Let ``batch`` put the outcomes of the record at ``offset`` and remove those that were kept long enough."""
        batch.put(keys.outcome_key(offset), _encode(outcomes))
        # One by one: RocksDB looks at every range that was deleted, and they would be as many as rejected records.
        for old in takewhile(lambda known: known < self._oldest(offset), self._offsets):
            batch.delete(keys.outcome_key(old))

    def remember(self, offset: int) -> None:
        """The batch of the record at ``offset`` was written."""
        self._offsets.append(offset)
        while self._offsets[0] < self._oldest(offset):
            self._offsets.popleft()

    def _oldest(self, newest: int) -> int:
        oldest = newest - KEPT_OUTCOMES
        return oldest if self.needed_from is None else min(oldest, self.needed_from)

    def of(self, offset: int) -> list[Outcome]:
        """The outcomes of the record at ``offset``; empty when all were applied, or no longer known."""
        value = self._kv.get(keys.outcome_key(offset))
        return [] if value is None else _decoder.decode(value)

    def since(self, offset: int) -> Iterator[tuple[int, list[Outcome]]]:
        """(offset, outcomes) at or after ``offset``, in order."""
        for key, value in self._kv.scan(keys.OUTCOME_PREFIX, keys.outcome_key(max(offset, 0))):
            yield keys.outcome_offset(key), _decoder.decode(value)
