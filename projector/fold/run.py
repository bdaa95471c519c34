"""Runs: consecutive records that are folded together, into one set of effects.

A record may be in a run when a chunk is sure to hold it: no marker, no filter, and not too many points to look at.
Within a run each record sees what those before it did, so the state after a run is the one after its records.
"""

import sys
from dataclasses import dataclass

from ingest.foreign import Destination, ForeignWrite
from ingest.foreign.writes import PointWrite
from ingest.outcomes import rejected
from ingest.sharding import parts_of
from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Effects, Home, StateReader
from projector.fold.foreign import merge_outcomes
from projector.fold.outcomes import APPLIED, GONE, TOO_EARLY
from projector.fold.packed import PackedPoint
from projector.fold.shard_ops import OpenShard, Undo
from projector.frames import ShardId
from schemas.errors import HeadwaterError
from schemas.ids import shard_of
from schemas.operations import Operation, Outcome, UpdateVectors, Upsert
from schemas.records import Origin, PartitionRecord, PointsRecord

DecodedRecord = PartitionRecord | ForeignWrite | PackedPoint | Outcome
"""A record as it is read; an outcome where it can't be."""

_ONE_APPLIED = [APPLIED]
_ANY_NUMBER = sys.maxsize


@dataclass(slots=True)
class RunEffects:
    """What a run does to the state: effects of one shard each, and what is about its records.

    ``offset`` is that of the last record. ``refused``: by offset, the outcomes of records of which one is a rejection.
    """

    offset: int
    shards: list[Effects]
    refused: dict[int, list[Outcome]]
    outbox: list[tuple[int, Destination]]
    watermarks: dict[int, Origin]


class _Target:
    """A collection that foreign records name: where it is at home, and its shards that are open."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.shards = len(home.shard_map)
        self.open: dict[int, OpenShard] = {}


class RunFold:
    """A run while it grows. Nothing may be committed meanwhile."""

    def __init__(self, reader: StateReader, limit: ChunkLimit) -> None:
        """``limit``: how many points a record may name that looks at them, and how large they may be."""
        self._reader = reader
        self._most_ids = limit.points
        # How many there are is known beforehand.
        self._limit = ChunkLimit(_ANY_NUMBER, limit.bytes)
        self._open: dict[ShardId, OpenShard | None] = {}
        self._targets: dict[str, _Target | None] = {}
        self._effects = RunEffects(-1, [], {}, [], {})
        self.records = 0
        self.points = 0
        self.bytes = 0
        """Of stored points that were read, or made of such; twice for both."""

    def add(self, offset: int, record: DecodedRecord) -> bool:
        """Fold ``record`` too, unless it can't be in a run: then nothing was done."""
        if isinstance(record, PackedPoint):
            outcomes = self._add_packed(offset, record, record.record)
        elif isinstance(record, ForeignWrite):
            outcomes = self._add_foreign(offset, record)
        elif isinstance(record, PointsRecord):
            outcomes = self._add_points(record)
        else:
            outcomes = [record] if isinstance(record, Outcome) else None
        if outcomes is None:
            return False
        self._effects.offset = offset
        if outcomes is not _ONE_APPLIED and any(not outcome.applied for outcome in outcomes):
            self._effects.refused[offset] = outcomes
        self.records += 1
        return True

    def effects(self) -> RunEffects:
        """What the run did."""
        self._effects.shards = [opened.effects() for opened in self._open.values() if opened is not None]
        return self._effects

    def _add_packed(self, offset: int, point: PackedPoint, record: PointWrite | PointsRecord) -> list[Outcome] | None:
        if isinstance(record, PointsRecord):
            if record.origin is not None and self._was_had(record.origin):
                return _ONE_APPLIED
            opened = self._shard(ShardId(record.uid, record.shard))
            if opened is not None and opened.meta.is_younger_than(record.origin, record.shard):
                return self._add_points(record)
        else:
            target = self._target(record.collection)
            if target is None:
                return self._leave(offset, Destination(record.collection))
            number = 0 if target.shards == 1 else shard_of(point.id, target.shards)
            opened = target.open.get(number) or self._open_in(target, number)
            if opened is None:
                return self._leave(offset, Destination(record.collection, target.home.uid, [number]))
        if opened is None or len(point.vector) != opened.vector_bytes:
            return self._add_whole(offset, record)
        opened.put(point.id, point.vector, point.payload)
        self.points += 1
        if isinstance(record, PointsRecord) and record.origin is not None:
            self._effects.watermarks[record.origin.partition] = record.origin
        return _ONE_APPLIED

    def _add_whole(self, offset: int, record: PointWrite | PointsRecord) -> list[Outcome] | None:
        return self._add_points(record) if isinstance(record, PointsRecord) else self._add_foreign(offset, record)

    def _add_foreign(self, offset: int, write: ForeignWrite) -> list[Outcome] | None:
        target = self._target(write.collection)
        if target is None:
            return self._leave(offset, Destination(write.collection))
        home = target.home
        shard = write.home(target.shards)
        if shard is not None and shard not in home.shards:
            return self._leave(offset, Destination(write.collection, home.uid, [shard]))
        try:
            operations = write.operations(home.config)
        except HeadwaterError as error:
            return [rejected(error)]
        if not self._is_plain(operations):
            return None
        outcomes = [APPLIED] * len(operations)
        away: list[int] = []
        undo: list[Undo] = []
        for number, part in parts_of(operations, target.shards).items():
            if number not in home.shards:
                away.append(number)
                continue
            found = self._fold(ShardId(home.uid, number), [operation for _, operation in part], undo)
            if found is None:
                return None
            outcomes = merge_outcomes(outcomes, [index for index, _ in part], found)
        if away:
            self._leave(offset, Destination(write.collection, home.uid, away))
        return outcomes

    def _add_points(self, record: PointsRecord) -> list[Outcome] | None:
        origin = record.origin
        if origin is not None and self._was_had(origin):
            return [APPLIED] * len(record.ops)
        if not self._is_plain(record.ops):
            return None
        outcomes = self._fold(ShardId(record.uid, record.shard), record.ops, [], origin)
        if outcomes is None:
            return None
        if origin is not None:
            self._effects.watermarks[origin.partition] = origin
        return outcomes

    def _was_had(self, origin: Origin) -> bool:
        known = self._effects.watermarks.get(origin.partition)
        return origin.was_had(known or self._reader.watermark(origin.partition))

    def _fold(
        self,
        shard: ShardId,
        operations: list[Operation],
        undo: list[Undo],
        origin: Origin | None = None,
    ) -> list[Outcome] | None:
        """The outcomes of a record's part; None when it has to be in chunks: then it is undone, and so is ``undo``."""
        opened = self._shard(shard)
        if opened is None:
            return [GONE] * len(operations)
        if opened.meta.is_younger_than(origin, shard.shard):
            return [TOO_EARLY] * len(operations)
        self.points += sum(len(operation.ids or ()) for operation in operations)
        before = opened.edit.read_bytes + opened.edit.new_bytes
        outcomes, undo_this = opened.fold_whole(operations, self._limit)
        undo.append(undo_this)
        self.bytes += opened.edit.read_bytes + opened.edit.new_bytes - before
        if outcomes is None:
            for action in undo:
                action()
        return outcomes

    def _is_plain(self, operations: list[Operation]) -> bool:
        selecting = [op for op in operations if not isinstance(op, Upsert)]
        if any(not isinstance(op, UpdateVectors) and op.filter is not None for op in selecting):
            return False
        return sum(len(op.ids or ()) for op in selecting) <= self._most_ids

    def _leave(self, offset: int, destination: Destination) -> list[Outcome]:
        self._effects.outbox.append((offset, destination))
        return _ONE_APPLIED

    def _target(self, name: str) -> _Target | None:
        if name not in self._targets:
            home = self._reader.home(name)
            self._targets[name] = None if home is None else _Target(home)
        return self._targets[name]

    def _open_in(self, target: _Target, number: int) -> OpenShard | None:
        """The shard of that number, None when it is not at home."""
        if number not in target.home.shards:
            return None
        opened = self._shard(ShardId(target.home.uid, number))
        if opened is not None:
            target.open[number] = opened
        return opened

    def _shard(self, shard: ShardId) -> OpenShard | None:
        if shard not in self._open:
            meta = self._reader.shard(shard)
            self._open[shard] = None if meta is None else OpenShard(self._reader, shard, meta)
        return self._open[shard]
