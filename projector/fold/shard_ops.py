"""Operations onto one shard, in order, in chunks."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from ingest.outcomes import rejected
from ingest.payload_checks import check_payloads
from projector.fold.candidates import Candidates
from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Cursor, ShardEffects, ShardMeta, StateReader
from projector.fold.outcomes import APPLIED, SKIPPED
from projector.fold.point_ops import (
    Listed,
    apply_by_filter,
    apply_by_ids,
    apply_update_vectors,
    apply_upsert,
)
from projector.fold.shard_edit import ShardEdit
from projector.frames import Changes, ShardId
from schemas.config import UNNAMED
from schemas.errors import BadInputError, HeadwaterError, NotFoundError
from schemas.ids import PointId, WireId, from_wire, ids_from_wire, ids_to_wire, render_point_id, to_wire
from schemas.operations import Operation, Outcome, UpdateVectors, Upsert
from schemas.points import encode_point
from schemas.validation import check_operation
from schemas.vectors.plain import only_plain

Undo = Callable[[], None]
"""Takes back what operations did, as if they had never been."""


class _Unchanged:
    """Stands for a point that no change is known of."""


_UNCHANGED = _Unchanged()


class OpenShard:
    """A shard while records are folded onto it: what they changed so far, and the last version given out."""

    def __init__(self, reader: StateReader, shard: ShardId, meta: ShardMeta) -> None:
        self.edit = ShardEdit(reader, shard, meta)
        self.version = meta.version
        self.meta = meta
        plain = only_plain(meta.config)
        self.vector_bytes = None if plain is None else plain.width
        """The length of a vector, where the collection has the unnamed one only, of plain float32."""
        self._position = 0 if plain is None else self.edit.positions[UNNAMED]

    def put(self, point_id: PointId, vector: bytes, payload: bytes) -> None:
        """Insert or replace one point, which is known to be good, of a collection with the unnamed vector only."""
        self.version += 1
        self.edit.changes[point_id] = encode_point(self.version, ((self._position, vector),), payload)

    def fold(
        self,
        ops: Sequence[Operation],
        begin: Cursor,
        limit: ChunkLimit,
        candidates: Candidates = None,
        *,
        checked: bool = False,
    ) -> tuple[list[Outcome], Cursor | None]:
        """Apply ``ops`` from ``begin`` on; the outcomes so far, and where to go on when that is not all.

        ``candidates`` are the first operation's: of the next ones' nothing is known, as it may have changed any point.

        With ``checked``, they are known to keep every rule of the shard's configuration. No operation is begun once
        ``limit`` is reached. One that looks at no point counts as if it looked at one.
        """
        self.edit.allow(limit.bytes)
        outcomes = list(begin.outcomes)
        looked_at = 0
        for index in range(begin.op, len(ops)):
            if outcomes and not outcomes[-1].applied:
                outcomes.append(SKIPPED)
                continue
            op = ops[index]
            rest = _Rest(begin.after, begin.done, begin.missing) if index == begin.op else _ALL
            first = rest == _ALL
            if first:
                failure = None if checked else _check(self.edit, op)
                if failure is not None:
                    outcomes.append(failure)
                    continue
                if looked_at >= limit.points or self.edit.is_full or _needs_commit(self.edit, op, limit.points):
                    return outcomes, _stop(begin, index, outcomes, _ALL)
            before = self.edit.looked_at
            self.edit.candidates = candidates if index == 0 else None
            try:
                result = _apply(self.edit, op, self.version + (not rest.begun), rest, limit.points)
            except HeadwaterError as error:
                outcomes.append(rejected(error))
                continue
            looked_at += max(self.edit.looked_at - before, 1)
            self.version += not rest.begun
            if isinstance(result, _Rest):
                return outcomes, _stop(begin, index, outcomes, result)
            outcomes.append(result)
        return outcomes, None

    def undo_of(self, ops: Sequence[Operation]) -> Undo:
        """What takes back ``ops``, which are folded next and have no filter."""
        changes, version = self.edit.changes, self.version
        before = {i: changes.get(i, _UNCHANGED) for op in ops for i in _ids(op)}

        def undo() -> None:
            self.version = version
            for point_id, value in before.items():
                if isinstance(value, _Unchanged):
                    changes.pop(point_id, None)
                else:
                    changes[point_id] = value

        return undo

    def effects(self) -> ShardEffects:
        """What was changed."""
        edit = self.edit
        effects = ShardEffects(edit.shard, edit.changes)
        if self.version != self.meta.version:
            effects.meta = msgspec.structs.replace(self.meta, version=self.version)
        if edit.changes:
            effects.events.append(Changes(edit.shard, ids_to_wire(edit.changes), list(edit.changes.values())))
        return effects


def _ids(op: Operation) -> Sequence[PointId]:
    """The ids that ``op`` may change; none where one is no id, as it is rejected then."""
    try:
        return ids_from_wire(op.ids or ())
    except BadInputError:
        return ()


class _Rest(NamedTuple):
    """What is left of an operation: the points above ``after``, or the ids it lists but for the first ``done``.

    ``missing`` is the first of those that is not there.
    """

    after: WireId | None = None
    done: int = 0
    missing: WireId | None = None

    @property
    def begun(self) -> bool:
        """Whether the operation has its version."""
        return self.after is not None or self.done > 0


_ALL = _Rest()


def _stop(begin: Cursor, op: int, outcomes: list[Outcome], rest: _Rest) -> Cursor:
    return msgspec.structs.replace(
        begin,
        op=op,
        chunk=begin.chunk + 1,
        outcomes=outcomes,
        after=rest.after,
        done=rest.done,
        missing=rest.missing,
    )


def _check(edit: ShardEdit, op: Operation) -> Outcome | None:
    """The outcome of an operation that breaks a rule whatever the points are; None when it doesn't."""
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
    if isinstance(op, Upsert) or not edit.changes:
        return False
    return op.ids is None or len(edit.changes) + len(op.ids) > chunk


def _apply(edit: ShardEdit, op: Operation, version: int, rest: _Rest, chunk: int) -> Outcome | _Rest:
    """Apply ``op``, or the next chunk of what is left of it."""
    if not isinstance(op, Upsert | UpdateVectors) and op.filter is not None:
        after = None if rest.after is None else from_wire(rest.after)
        last = apply_by_filter(edit, op, version, after, chunk)
        return APPLIED if last is None else _Rest(after=to_wire(last))
    if isinstance(op, Upsert):
        apply_upsert(edit, op, version)
        return APPLIED
    begin = Listed(rest.done, rest.missing)
    if isinstance(op, UpdateVectors):
        found = apply_update_vectors(edit, op, version, begin, chunk)
    else:
        found = apply_by_ids(edit, op, version, begin, chunk)
    if found.done < len(op.ids or ()):
        return _Rest(done=found.done, missing=found.missing)
    if found.missing is None:
        return APPLIED
    # As in Qdrant: the others are changed, and whoever waits is told.
    missing = render_point_id(from_wire(found.missing))
    return rejected(NotFoundError(f"Not found: No point with id {missing} found"))
