"""``fold``: one record onto the state of a partition.

A record's operations apply in order, each whole or not at all. An operation with a filter may touch any number of
points, so it is applied in chunks of points looked at: the effects then carry a cursor, and ``fold`` is called again
with it, on the state as committed. Chunking never changes the result, since each point is looked at once and its
fate depends on nothing but itself.
"""

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
from schemas.ids import PointId, from_wire, ids_to_wire, to_wire
from schemas.operations import Operation, Outcome, UpdateVectors, Upsert
from schemas.records import Marker, PartitionRecord, PointsRecord, ShardChanged, ShardOpened
from schemas.validation import check_operation, check_payloads

CHUNK_POINTS = 2000
"""How many points a chunk of a filtered operation looks at: tens of milliseconds of work."""
APPLIED = Outcome()


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
    first = 0 if cursor is None else cursor.op
    version = meta.version
    outcomes = [] if cursor is None else list(cursor.outcomes)
    chunks = 0 if cursor is None else cursor.chunk
    for index in range(first, len(record.ops)):
        op = record.ops[index]
        after = _resume_after(cursor, index)
        if after is None:
            failure = _check(edit, op)
            if failure is not None:
                outcomes.append(failure)
                continue
        if not isinstance(op, Upsert | UpdateVectors) and op.filter is not None:
            if edit.changes:
                stop = Cursor(offset, index, chunks + 1, outcomes)
                return _effects(edit, meta, version, outcomes, chunks, stop)
            version += after is None
            last = apply_by_filter(edit, op, version, after, chunk)
            if last is not None:
                stop = Cursor(offset, index, chunks + 1, outcomes, to_wire(last))
                return _effects(edit, meta, version, outcomes, chunks, stop)
            outcomes.append(APPLIED)
            continue
        outcome = _apply(edit, op, version + 1)
        version += outcome.applied
        outcomes.append(outcome)
    return _effects(edit, meta, version, outcomes, chunks, None)


def _resume_after(cursor: Cursor | None, index: int) -> PointId | None:
    if cursor is None or cursor.op != index or cursor.after is None:
        return None
    return from_wire(cursor.after)


def _check(edit: ShardEdit, op: Operation) -> Outcome | None:
    try:
        check_operation(edit.config, op)
        check_payloads(op)
    except HeadwaterError as error:
        return rejected(error)
    return None


def _apply(edit: ShardEdit, op: Operation, version: int) -> Outcome:
    try:
        if isinstance(op, Upsert):
            apply_upsert(edit, op, version)
        elif isinstance(op, UpdateVectors):
            apply_update_vectors(edit, op, version)
        else:
            apply_by_ids(edit, op, version)
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
