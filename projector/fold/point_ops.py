"""Each operation as a function of the points it names. Points that are not there are left out, and told of."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import NamedTuple

import msgspec

from projector.fold.shard_edit import ShardEdit
from projector.kernel import around_rows
from schemas.filters import Filter, parse_filter
from schemas.ids import PointId, WireId, from_wire, ids_from_wire
from schemas.json_path import parse_path
from schemas.matching import bind, matches
from schemas.operations import (
    ClearPayload,
    DeletePayload,
    DeletePoints,
    DeleteVectors,
    OverwritePayload,
    SetPayload,
    UpdateMode,
    UpdateVectors,
    Upsert,
)
from schemas.payload_edit import delete_keys, overwrite_payload, set_payload
from schemas.points import StoredPoint, begin_point, decode_point, encode_point
from schemas.validation import decode_payload
from schemas.vectors.dense import DenseColumn
from schemas.vectors.registry import VectorColumn

_encode_json = msgspec.json.Encoder().encode

Edit = Callable[[StoredPoint], StoredPoint | None]
"""What becomes of one point; None: it is deleted."""
SelectingOperation = DeleteVectors | SetPayload | OverwritePayload | DeletePayload | ClearPayload | DeletePoints


class FoldCandidate:
    """A stored point as the evaluator sees it; the payload is parsed only when asked for."""

    __slots__ = ("_names", "_payload", "_point", "id")

    def __init__(self, point_id: PointId, point: StoredPoint, names: Mapping[int, str]) -> None:
        self.id = point_id
        self._point = point
        self._names = names
        self._payload: Mapping[str, object] | None = None

    @property
    def payload(self) -> Mapping[str, object]:
        """The payload as a dict."""
        if self._payload is None:
            self._payload = decode_payload(self._point.payload)
        return self._payload

    @property
    def vector_names(self) -> set[str]:
        """The names of the vectors the point has; vectors of names that were deleted have none."""
        return {self._names[position] for position in self._point.vectors if position in self._names}


def point_matches(condition: Filter, point_id: PointId, point: StoredPoint, names: Mapping[int, str]) -> bool:
    """Whether a stored point passes a filter."""
    return matches(condition, FoldCandidate(point_id, point, names))


def _rows(columns: Mapping[str, VectorColumn], edit: ShardEdit, start: int, end: int) -> list[list[tuple[int, bytes]]]:
    """For each of the points from ``start`` to ``end`` its (position, bytes), in ascending position."""
    ordered = sorted(((edit.positions[name], column) for name, column in columns.items()), key=itemgetter(0))
    result: list[list[tuple[int, bytes]]] = [[] for _ in range(start, end)]
    for position, column in ordered:
        values = column.values()
        targets = range(len(values)) if column.rows is None else column.rows
        for row in range(bisect_left(targets, start), bisect_left(targets, end)):
            result[targets[row] - start].append((position, values[row]))
    return result


def _whole_column(columns: Mapping[str, VectorColumn]) -> tuple[str, DenseColumn] | None:
    """The only vector name, when every point has it, in as many bytes."""
    name, column = next(iter(columns.items()))
    return (name, column) if isinstance(column, DenseColumn) and column.rows is None else None


def apply_upsert(edit: ShardEdit, op: Upsert, version: int) -> None:
    """Insert or replace; with a mode or filter, only those of the points that it admits."""
    ids = ids_from_wire(op.ids)
    payloads = op.payloads or [b""] * len(ids)
    blind = op.update_mode is UpdateMode.UPSERT and op.update_filter is None
    if blind and len(op.vectors) == 1 and (whole := _whole_column(op.vectors)) is not None:
        name, column = whole
        begin = begin_point(version, edit.positions[name], column.width)
        points = around_rows(begin, column.data, column.width, payloads)
        edit.changes.update(zip(ids, points, strict=True))
        return
    rows = _rows(op.vectors, edit, 0, len(ids))
    changes = edit.changes
    if blind:
        for point_id, vectors, payload in zip(ids, rows, payloads, strict=True):
            changes[point_id] = encode_point(version, vectors, payload)
        return
    condition = None if op.update_filter is None else _condition(edit, op.update_filter)
    for point_id, vectors, payload in zip(ids, rows, payloads, strict=True):
        if _admits(edit, op.update_mode, condition, point_id):
            changes[point_id] = encode_point(version, vectors, payload)


def _admits(edit: ShardEdit, mode: UpdateMode, condition: Filter | None, point_id: PointId) -> bool:
    old = edit.get([point_id])[0]
    if old is None:
        return mode is not UpdateMode.UPDATE_ONLY
    if mode is UpdateMode.INSERT_ONLY:
        return False
    return condition is None or point_matches(condition, point_id, decode_point(old), edit.names)


class Listed(NamedTuple):
    """How many of the ids that an operation lists are done, and the first of them that is not there."""

    done: int = 0
    missing: WireId | None = None


def apply_update_vectors(edit: ShardEdit, op: UpdateVectors, version: int, begin: Listed, limit: int) -> Listed:
    """Replace the given vectors of the next points, at most ``limit``, from ``begin`` on. The missing stay missing."""
    condition = None if op.update_filter is None else _condition(edit, op.update_filter)
    end = min(begin.done + limit, len(op.ids))
    missing = begin.missing
    for at, vectors in enumerate(_rows(op.vectors, edit, begin.done, end), begin.done):
        if at > begin.done and edit.is_full:
            return Listed(at, missing)
        point_id = from_wire(op.ids[at])
        value = edit.get([point_id])[0]
        if value is None:
            missing = op.ids[at] if missing is None else missing
            continue
        old = decode_point(value)
        if condition is None or point_matches(condition, point_id, old, edit.names):
            _put(edit, point_id, StoredPoint(version, {**old.vectors, **dict(vectors)}, old.payload))
    return Listed(end, missing)


def _condition(edit: ShardEdit, filter: object) -> Filter:
    """A filter as it is meant with the payload indexes that are declared at this offset."""
    return bind(parse_filter(filter), edit.config.payload_indexes)


def make_edit(edit: ShardEdit, op: SelectingOperation, version: int) -> Edit:
    """What ``op`` does to each point it names."""
    if isinstance(op, DeletePoints):
        return lambda _: None
    if isinstance(op, ClearPayload):
        return lambda point: StoredPoint(version, point.vectors, b"")
    if isinstance(op, DeleteVectors):
        gone = {edit.positions[name] for name in op.names}
        return lambda point: StoredPoint(
            version, {p: v for p, v in point.vectors.items() if p not in gone}, point.payload
        )
    return _payload_edit(op, version)


def _payload_edit(op: SetPayload | OverwritePayload | DeletePayload, version: int) -> Edit:
    if isinstance(op, DeletePayload):
        paths = [parse_path(key) for key in op.keys]

        def change(old: dict[str, object]) -> dict[str, object]:
            return delete_keys(old, paths)
    else:
        function = set_payload if isinstance(op, SetPayload) else overwrite_payload
        new = decode_payload(op.payload)
        key = None if op.key is None else parse_path(op.key)

        def change(old: dict[str, object]) -> dict[str, object]:
            return function(old, new, key)

    def edit_payload(point: StoredPoint) -> StoredPoint:
        payload = change(decode_payload(point.payload))
        return StoredPoint(version, point.vectors, _encode_json(payload) if payload else b"")

    return edit_payload


def _put(edit: ShardEdit, point_id: PointId, new: StoredPoint | None) -> None:
    if new is None:
        edit.changes[point_id] = None
    else:
        # Those of names that were deleted since are dropped, now that the point is written anyway.
        vectors = sorted(((at, data) for at, data in new.vectors.items() if at in edit.names), key=itemgetter(0))
        edit.put(point_id, encode_point(new.version, vectors, new.payload))


def apply_by_ids(edit: ShardEdit, op: SelectingOperation, version: int, begin: Listed, limit: int) -> Listed:
    """Apply an operation to the next of the ids it lists, at most ``limit``, from ``begin`` on.

    What is not there is not changed, and missing, but for a delete.
    """
    listed = op.ids or ()
    change = make_edit(edit, op, version)
    end = min(begin.done + limit, len(listed))
    missing = begin.missing
    for at in range(begin.done, end):
        if at > begin.done and edit.is_full:
            return Listed(at, missing)
        value = edit.get([from_wire(listed[at])])[0]
        if value is not None:
            _put(edit, from_wire(listed[at]), change(decode_point(value)))
        elif missing is None and not isinstance(op, DeletePoints):
            missing = listed[at]
    return Listed(end, missing)


def apply_by_filter(
    edit: ShardEdit, op: SelectingOperation, version: int, after: PointId | None, limit: int
) -> PointId | None:
    """Apply an operation to the next ``limit`` points after ``after`` that pass its filter.

    Returns the last id looked at when there may be more, None when the shard's end was reached. Needs an edit
    without changes: the scan sees the committed points only.
    """
    change = make_edit(edit, op, version)
    condition = _condition(edit, op.filter)
    for looked_at, (point_id, value) in enumerate(edit.filtered(after), start=1):
        point = decode_point(value)
        if point_matches(condition, point_id, point, edit.names):
            _put(edit, point_id, change(point))
        if looked_at == limit or edit.is_full:
            return point_id
    return None
