"""Folding records onto the state of a partition: as many as go together, or a chunk of one.

A record's operations apply in order, each whole or not at all. After one that is rejected, those before it stay and
those after it are skipped, as in Qdrant; and as there, one that names missing points changes the others and is rejected
with the first that is missing. Records that follow see what those before them did, so the state after many that are
folded together is the one after each of them.

An operation with a filter, or with a long list of ids, may touch any number of points, and so may many operations
together; points may be of any size. So the first record may be applied in chunks, bounded in points and bytes: the
effects then carry a cursor, from which the fold goes on, on the state as committed. Chunking never changes the result,
since a point's fate depends on nothing but itself, and looking at one that was listed twice changes nothing more. A
later record is folded with those before it when all of it is sure to fit, or else not at all; and none with one that
may need chunks.
"""

import sys
from collections.abc import Sequence

import msgspec

from ingest.foreign import Destination, ForeignWrite
from ingest.foreign.writes import PointWrite
from projector.fold.candidates import Candidates
from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Cursor, Effects, Home, StateReader
from projector.fold.markers import fold_marker
from projector.fold.outcomes import APPLIED, GONE, TOO_EARLY
from projector.fold.packed import DecodedRecord, PackedPoint
from projector.fold.parts import Parts, ShardPart, merge_outcomes, parts_of_foreign, parts_of_points
from projector.fold.shard_ops import OpenShard, Undo
from projector.frames import ShardId
from schemas.ids import shard_of
from schemas.operations import Outcome, UpdateVectors, Upsert
from schemas.records import Marker, Origin, PointsRecord

MOST_POINTS = 1000
"""No record is added once so many points are looked at, or as many bytes of them as a chunk may have."""
DEFAULT_LIMIT = ChunkLimit()

_ONE_APPLIED = [APPLIED]
_BEGIN = Cursor(0, op=0, chunk=0, outcomes=[])


class _Target:
    """A collection that foreign records name: where it is at home, and its shards that are open."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.shards = len(home.shard_map)
        self.open: dict[int, OpenShard] = {}


class Fold:
    """Records that are folded together. Nothing may be committed meanwhile."""

    def __init__(
        self,
        reader: StateReader,
        limit: ChunkLimit = DEFAULT_LIMIT,
        cursor: Cursor | None = None,
        candidates: Candidates = None,
    ) -> None:
        """``cursor``: where the first record goes on; ``candidates`` of its first operation, as of the offset before.

        ``limit`` bounds a chunk, and what a later record may look at.
        """
        self._reader = reader
        self._limit = limit
        self._begin = cursor
        self._candidates: Candidates = candidates
        self._parts: Parts | Outcome | None = None
        """Of the first record, for all its chunks: nothing else is applied meanwhile, so no configuration changes."""
        self._open: dict[ShardId, OpenShard | None] = {}
        self._targets: dict[str, _Target | None] = {}
        self._effects = Effects(chunk=0 if cursor is None else cursor.chunk)
        self._ended = False
        self.outcomes: list[Outcome] = []
        """Of the record that was added last; empty while it goes on."""
        self.records = 0
        self.points = 0
        self.bytes = 0
        """Of stored points that were read, or made of such; twice for both."""

    def add(self, offset: int, record: DecodedRecord) -> bool:
        """Fold ``record``, too, unless it doesn't go with those before it: then nothing was done."""
        if self._ended or self.points >= MOST_POINTS or self.bytes >= self._limit.bytes:
            return False
        if isinstance(record, PackedPoint):
            outcomes = self._add_packed(offset, record, record.record)
        elif isinstance(record, PointsRecord | ForeignWrite):
            outcomes = self._add_whole(offset, record)
        elif isinstance(record, Outcome):
            outcomes = [record]
        else:
            outcomes = self._add_marker(offset, record)
        if outcomes is None:
            return False
        self._effects.offset = offset
        self.outcomes = outcomes
        if outcomes is not _ONE_APPLIED and any(not outcome.applied for outcome in outcomes):
            self._effects.refused[offset] = outcomes
        self.records += 1
        return True

    def effects(self) -> Effects:
        """What the records did, or, with a cursor, this chunk of the first."""
        self._effects.shards += [opened.effects() for opened in self._open.values() if opened is not None]
        return self._effects

    def rest(self) -> "Fold":
        """Goes on after the cursor of the effects, once they are committed: with the same record."""
        rest = Fold(self._reader, self._limit, self._effects.cursor, self._candidates)
        rest._parts = self._parts
        return rest

    def _add_packed(self, offset: int, point: PackedPoint, record: PointWrite | PointsRecord) -> list[Outcome] | None:
        if isinstance(record, PointsRecord):
            if record.origin is not None and self._was_had(record.origin):
                return _ONE_APPLIED
            opened = self._shard(ShardId(record.uid, record.shard))
            if opened and record.origin is not None and opened.meta.is_younger_than(record.origin, record.shard):
                opened = None
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

    def _add_whole(self, offset: int, record: PointsRecord | ForeignWrite) -> list[Outcome] | None:
        """The outcomes of a record; None where it doesn't fit behind others. Of one that goes on there are none yet."""
        if isinstance(record, PointsRecord):
            origin = record.origin
            if origin is not None and self._begin is None and self._was_had(origin):
                return [APPLIED] * len(record.ops)
            parts = parts_of_points(record)
        else:
            parts = self._parts if self.records == 0 else None
            if parts is None:
                target = self._target(record.collection)
                parts = parts_of_foreign(None if target is None else target.home, record)
            if isinstance(parts, Outcome):
                return [parts]
        if self.records == 0:
            self._parts = parts
            return self._add_first(offset, parts)
        return self._add_later(offset, parts)

    def _add_first(self, offset: int, parts: Parts) -> list[Outcome]:
        begin = self._begin or Cursor(offset, op=0, chunk=0, outcomes=[])
        merged = begin.merged
        for number in range(begin.part, len(parts.here)):
            part = parts.here[number]
            outcomes, stop = self._fold(part, parts, begin, self._limit)
            if stop is not None:
                return self._stop(stop)
            merged = merge_outcomes(merged, part, outcomes, parts.operations)
            if number + 1 < len(parts.here):
                begin = Cursor(offset, op=0, chunk=begin.chunk, outcomes=[], part=number + 1, merged=merged)
                if self.points >= self._limit.points or self.bytes >= self._limit.bytes:
                    return self._stop(msgspec.structs.replace(begin, chunk=begin.chunk + 1))
        self._ended = self._begin is not None or not _is_plain(parts.here, self._limit.points)
        return self._end(offset, parts, merged or [APPLIED] * parts.operations)

    def _add_later(self, offset: int, parts: Parts) -> list[Outcome] | None:
        if not _is_plain(parts.here, self._limit.points):
            return None
        merged: list[Outcome] = []
        # How many points are looked at is known beforehand.
        limit = ChunkLimit(sys.maxsize, self._limit.bytes)
        is_one_upsert = _is_one_upsert(parts)
        undo: list[Undo] = []
        for part in parts.here:
            opened = self._shard(part.shard)
            if opened is not None and not is_one_upsert:
                undo.append(opened.undo_of(part.operations))
            outcomes, stop = self._fold(part, parts, _BEGIN, limit)
            if stop is not None:
                for action in undo:
                    action()
                return None
            merged = merge_outcomes(merged, part, outcomes, parts.operations)
        return self._end(offset, parts, merged or [APPLIED] * parts.operations)

    def _stop(self, cursor: Cursor) -> list[Outcome]:
        self._effects.cursor = cursor
        self._ended = True
        return []

    def _end(self, offset: int, parts: Parts, outcomes: list[Outcome]) -> list[Outcome]:
        if parts.destination is not None:
            self._leave(offset, parts.destination)
        if parts.origin is not None:
            self._effects.watermarks[parts.origin.partition] = parts.origin
        return outcomes

    def _add_marker(self, offset: int, marker: Marker) -> list[Outcome] | None:
        if self.records > 0:
            return None
        outcome, self._effects.marker_seq, effects = fold_marker(self._reader, marker, offset)
        if effects is not None:
            self._effects.shards.append(effects)
        self._ended = True
        return [outcome]

    def _fold(
        self, part: ShardPart, parts: Parts, begin: Cursor, limit: ChunkLimit
    ) -> tuple[list[Outcome], Cursor | None]:
        """As ``OpenShard.fold``, for a part of a record."""
        opened = self._shard(part.shard)
        if opened is None:
            return [GONE] * len(part.operations), None
        if opened.meta.is_younger_than(parts.origin, part.shard.shard):
            return [TOO_EARLY] * len(part.operations), None
        edit = opened.edit
        looked_at, size = edit.looked_at, edit.read_bytes + edit.new_bytes
        candidates = self._candidates if self.records == 0 else None
        # While markers are coming, a shard may have another configuration than the one next to it.
        checked = parts.config is not None and parts.config == opened.meta.config
        found = opened.fold(part.operations, begin, limit, candidates, checked=checked)
        listed = sum([len(operation.ids or ()) for operation in part.operations])
        self.points += max(listed, edit.looked_at - looked_at)
        self.bytes += edit.read_bytes + edit.new_bytes - size
        return found

    def _was_had(self, origin: Origin) -> bool:
        known = self._effects.watermarks.get(origin.partition)
        return origin.was_had(known or self._reader.watermark(origin.partition))

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


def _is_one_upsert(parts: Parts) -> bool:
    """An upsert is applied whole: nothing has to be taken back."""
    if len(parts.here) != 1 or len(parts.here[0].operations) != 1:
        return False
    return isinstance(parts.here[0].operations[0], Upsert)


def _is_plain(parts: Sequence[ShardPart], most_ids: int) -> bool:
    """Whether it is known which points a record looks at, and these are at most ``most_ids``."""
    ids = 0
    for part in parts:
        for op in part.operations:
            if isinstance(op, Upsert):
                continue
            if not isinstance(op, UpdateVectors) and op.filter is not None:
                return False
            ids += len(op.ids or ())
    return ids <= most_ids
