"""``fold``, or ``RecordFold`` for many chunks: one record onto the state of a partition.

A record's operations apply in order, each whole or not at all. After one that is rejected, those before it stay and
those after it are skipped, as in Qdrant; and as there, one that names missing points changes the others and is rejected
with the first that is missing. An operation with a filter, or with a long list of ids, may touch any number
of points, and so may many operations together; points may be of any size. So a record is applied in chunks, bounded in
points and bytes: the effects then carry a cursor, and ``fold`` is called again with it, on the state as committed.
Chunking never changes the result, since a point's fate depends on nothing but itself, and looking at one that was
listed twice changes nothing more.
"""

from ingest.foreign import ForeignWrite
from projector.fold.candidates import Candidates
from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Cursor, Effects, StateReader
from projector.fold.foreign import HomeParts, fold_foreign, home_parts
from projector.fold.markers import fold_marker
from projector.fold.outcomes import APPLIED, GONE, TOO_EARLY
from projector.fold.shard_ops import fold_operations
from projector.frames import ShardId
from schemas.records import PartitionRecord, PointsRecord

DEFAULT_LIMIT = ChunkLimit()


class RecordFold:
    """A record that is folded chunk after chunk."""

    def __init__(
        self,
        reader: StateReader,
        record: PartitionRecord | ForeignWrite,
        offset: int,
        limit: ChunkLimit = DEFAULT_LIMIT,
        candidates: Candidates = None,
    ) -> None:
        """``candidates`` are those of the record's first operation, as of the offset before it."""
        self._reader = reader
        self._record = record
        self._offset = offset
        self._limit = limit
        self._candidates: Candidates = candidates
        self._parts: HomeParts | Effects | None = None

    def next(self, cursor: Cursor | None) -> Effects:
        """The effects of the record, or of its next chunk when ``cursor`` is what the chunk before gave."""
        record = self._record
        if isinstance(record, PointsRecord):
            return _fold_points(self._reader, record, self._offset, cursor, self._limit, self._candidates)
        if not isinstance(record, ForeignWrite):
            return fold_marker(self._reader, record, self._offset)
        # Once for all chunks: nothing else is applied between them, so no configuration changes.
        if self._parts is None:
            self._parts = home_parts(self._reader, record)
        if isinstance(self._parts, Effects):
            return self._parts
        return fold_foreign(self._reader, self._parts, self._offset, cursor, self._limit)


def fold(
    reader: StateReader,
    record: PartitionRecord | ForeignWrite,
    offset: int,
    cursor: Cursor | None = None,
    limit: ChunkLimit = DEFAULT_LIMIT,
    candidates: Candidates = None,
) -> Effects:
    """The effects of ``record``, or of its next chunk when ``cursor`` is what the chunk before gave."""
    return RecordFold(reader, record, offset, limit, candidates).next(cursor)


def _fold_points(
    reader: StateReader,
    record: PointsRecord,
    offset: int,
    cursor: Cursor | None,
    limit: ChunkLimit,
    candidates: Candidates,
) -> Effects:
    origin = record.origin
    if cursor is None and origin is not None and origin.was_had(reader.watermark(origin.partition)):
        return Effects(outcomes=[APPLIED] * len(record.ops))
    shard = ShardId(record.uid, record.shard)
    meta = reader.shard(shard)
    if meta is None:
        effects = Effects(outcomes=[GONE] * len(record.ops))
    elif meta.is_younger_than(origin, record.shard):
        effects = Effects(outcomes=[TOO_EARLY] * len(record.ops))
    else:
        begin = cursor or Cursor(offset, op=0, chunk=0, outcomes=[])
        effects = fold_operations(reader, shard, meta, record.ops, begin, limit, candidates)
    effects.watermark = origin
    return effects
