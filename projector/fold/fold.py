"""``fold``: one record onto the state of a partition.

A record's operations apply in order, each whole or not at all. After one that is rejected, those before it stay and
those after it are skipped, as in Qdrant. An operation with a filter, or with a long list of ids,
may touch any number of points, so it is applied in chunks of points looked at: the effects then carry a cursor, and
``fold`` is called again with it, on the state as committed. Chunking never changes the result, since a point's fate
depends on nothing but itself, and looking at one that was listed twice changes nothing more.
"""

from typing import NamedTuple

import msgspec

from projector.fold.effects import Cursor, Effects, ShardMeta, StateReader
from projector.fold.point_ops import (
    apply_by_filter,
    apply_by_ids,
    apply_update_vectors,
    apply_upsert,
)
from projector.fold.shard_edit import ShardEdit
from projector.frames import Changes, Closed, Opened, Reconfigured, ShardId
from schemas.errors import HeadwaterError
from schemas.ids import WireId, from_wire, ids_to_wire, to_wire
from schemas.operations import Operation, Outcome, UpdateVectors, Upsert
from schemas.records import Marker, PartitionRecord, PointsRecord, ShardChanged, ShardOpened
from schemas.validation import check_operation, check_payloads

CHUNK_POINTS = 2000
"""How many points a chunk looks at: tens of milliseconds of work."""
APPLIED = Outcome()
SKIPPED = Outcome(reason="Skipped: an earlier operation of the same record was rejected", status=400)


def fold(
    reader: StateReader, record: PartitionRecord, offset: int, cursor: Cursor | None = None, chunk: int = CHUNK_POINTS
) -> Effects:
    """The effects of ``record``, or of its next chunk when ``cursor`` is what the chunk before gave."""
    if isinstance(record, PointsRecord):
        return _fold_points(reader, record, offset, cursor, chunk)
    return _fold_marker(reader, record)


def rejected(reason: HeadwaterError) -> Outcome:
    """The outcome of an operation that breaks a rule."""
    return Outcome(reason=reason.message, status=reason.status)


def _fold_marker(reader: StateReader, marker: Marker) -> Effects:
    shard = ShardId(marker.uid, marker.shard)
    if marker.seq <= reader.marker_seq:
        return Effects(outcomes=[APPLIED])
    effects = Effects(marker_seq=marker.seq, outcomes=[APPLIED])
    old = reader.shard(shard)
    if isinstance(marker, ShardOpened):
        effects.shard = shard
        effects.meta = ShardMeta(marker.name, marker.config, marker.shard_map)
        effects.events.append(Opened(shard, marker.name, marker.config, marker.shard_map))
    elif old is None:
        return effects
    elif isinstance(marker, ShardChanged):
        effects.shard = shard
        effects.meta = msgspec.structs.replace(old, config=marker.config)
        effects.events.append(Reconfigured(shard, marker.config))
    else:
        effects.shard = shard
        effects.closed = True
        effects.events.append(Closed(shard))
    return effects


def _fold_points(reader: StateReader, record: PointsRecord, offset: int, cursor: Cursor | None, chunk: int) -> Effects:
    shard = ShardId(record.uid, record.shard)
    meta = reader.shard(shard)
    if meta is None:
        gone = Outcome(reason="Not found: the collection doesn't exist any more", status=404)
        return Effects(outcomes=[gone] * len(record.ops))
    edit = ShardEdit(reader, shard, meta)
    begin = cursor or Cursor(offset, op=0, chunk=0, outcomes=[])
    version = meta.version
    outcomes = list(begin.outcomes)
    for index in range(begin.op, len(record.ops)):
        if outcomes and not outcomes[-1].applied:
            outcomes.append(SKIPPED)
            continue
        op = record.ops[index]
        rest = _Rest(begin.after, begin.done) if index == begin.op else _ALL
        first = rest == _ALL
        if first:
            failure = _check(edit, op)
            if failure is not None:
                outcomes.append(failure)
                continue
            if _needs_commit(edit, op, chunk):
                stop = Cursor(offset, index, begin.chunk + 1, outcomes)
                return _effects(edit, meta, version, outcomes, begin.chunk, stop)
        result = _apply(edit, op, version + first, rest, chunk)
        if first and (isinstance(result, _Rest) or result.applied):
            version += 1
        if isinstance(result, _Rest):
            stop = Cursor(offset, index, begin.chunk + 1, outcomes, result.after, result.done)
            return _effects(edit, meta, version, outcomes, begin.chunk, stop)
        outcomes.append(result)
    return _effects(edit, meta, version, outcomes, begin.chunk, None)


class _Rest(NamedTuple):
    """What is left of an operation: the points above ``after``, or the ids it lists but for the first ``done``."""

    after: WireId | None
    done: int


_ALL = _Rest(None, 0)


def _check(edit: ShardEdit, op: Operation) -> Outcome | None:
    try:
        check_operation(edit.config, op)
        check_payloads(op)
    except HeadwaterError as error:
        return rejected(error)
    return None


def _needs_commit(edit: ShardEdit, op: Operation, chunk: int) -> bool:
    """Whether what was changed so far must be committed before ``op``.

    A filter scans committed points only, and what one commit holds is bounded.
    """
    if isinstance(op, Upsert | UpdateVectors) or not edit.changes:
        return False
    return op.ids is None or len(edit.changes) + len(op.ids) > chunk


def _apply(edit: ShardEdit, op: Operation, version: int, rest: _Rest, chunk: int) -> Outcome | _Rest:
    """Apply ``op``, or the next chunk of what is left of it."""
    if not isinstance(op, Upsert | UpdateVectors) and op.filter is not None:
        after = None if rest.after is None else from_wire(rest.after)
        last = apply_by_filter(edit, op, version, after, chunk)
        return APPLIED if last is None else _Rest(to_wire(last), 0)
    try:
        if isinstance(op, Upsert):
            apply_upsert(edit, op, version)
        elif isinstance(op, UpdateVectors):
            apply_update_vectors(edit, op, version)
        else:
            done = apply_by_ids(edit, op, version, rest.done, chunk)
            return APPLIED if done is None else _Rest(None, done)
    except HeadwaterError as error:
        return rejected(error)
    return APPLIED


def _effects(
    edit: ShardEdit, meta: ShardMeta, version: int, outcomes: list[Outcome], chunk: int, cursor: Cursor | None
) -> Effects:
    effects = Effects(shard=edit.shard, points=edit.changes, outcomes=outcomes, cursor=cursor, chunk=chunk)
    if version != meta.version:
        effects.meta = msgspec.structs.replace(meta, version=version)
    if edit.changes:
        ids = ids_to_wire(edit.changes)
        effects.events.append(Changes(edit.shard, ids, list(edit.changes.values())))
    return effects
