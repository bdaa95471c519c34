"""Each operation as a function of the points it names. All checks come before the first change: whole or not at all."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

import msgspec

from projector.fold.shard_edit import ShardEdit
from schemas.errors import NotFoundError
from schemas.filters import Filter, parse_filter
from schemas.ids import PointId, WireId, ids_from_wire, render_point_id
from schemas.json_path import parse_path
from schemas.matching import matches
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
from schemas.points import StoredPoint, decode_point, encode_point, encode_points
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


def _rows(columns: Mapping[str, VectorColumn], edit: ShardEdit, count: int) -> list[list[tuple[int, bytes]]]:
    """For each of ``count`` points its (position, bytes), in ascending position."""
    ordered = sorted(((edit.positions[name], column) for name, column in columns.items()), key=itemgetter(0))
    result: list[list[tuple[int, bytes]]] = [[] for _ in range(count)]
    for position, column in ordered:
        targets = range(count) if column.rows is None else column.rows
        for target, value in zip(targets, column.values(), strict=True):
            result[target].append((position, value))
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
        points = encode_points(version, edit.positions[name], column.data, column.width, payloads)
        edit.changes.update(zip(ids, points, strict=True))
        return
    rows = _rows(op.vectors, edit, len(ids))
    changes = edit.changes
    if blind:
        for point_id, vectors, payload in zip(ids, rows, payloads, strict=True):
            changes[point_id] = encode_point(version, vectors, payload)
        return
    condition = None if op.update_filter is None else parse_filter(op.update_filter)
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


def _check_exist(ids: Sequence[PointId], values: Sequence[bytes | None]) -> None:
    for point_id, value in zip(ids, values, strict=True):
        if value is None:
            raise NotFoundError(f"Not found: No point with id {render_point_id(point_id)} found")


def apply_update_vectors(edit: ShardEdit, op: UpdateVectors, version: int) -> None:
    """Replace the given vectors. Raises NotFoundError when a point doesn't exist."""
    ids = ids_from_wire(op.ids)
    _check_exist(ids, edit.get(ids))
    condition = None if op.update_filter is None else parse_filter(op.update_filter)
    for point_id, vectors in zip(ids, _rows(op.vectors, edit, len(ids)), strict=True):
        value = edit.get([point_id])[0]
        if value is None:
            raise AssertionError("an update of vectors deletes nothing")
        old = decode_point(value)
        if condition is None or point_matches(condition, point_id, old, edit.names):
            merged = sorted({**old.vectors, **dict(vectors)}.items(), key=itemgetter(0))
            edit.changes[point_id] = encode_point(version, merged, old.payload)


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


def _must_exist(op: SelectingOperation) -> bool:
    """Whether naming a point that isn't there rejects the operation, as it does in Qdrant."""
    return not isinstance(op, DeletePoints)


def _put(edit: ShardEdit, point_id: PointId, new: StoredPoint | None) -> None:
    edit.changes[point_id] = (
        None if new is None else encode_point(new.version, sorted(new.vectors.items(), key=itemgetter(0)), new.payload)
    )


def check_ids(edit: ShardEdit, op: SelectingOperation, checked: int, limit: int) -> int | None:
    """See whether the next ``limit`` of the ids it lists exist, the first ``checked`` being known to.

    Returns how many are known to exist then; None when there is nothing to check before the operation is applied.
    Raises NotFoundError.
    """
    listed = op.ids or ()
    if not _must_exist(op) or len(listed) <= limit or checked >= len(listed):
        return None
    ids = _distinct(listed[checked : checked + limit])
    _check_exist(ids, edit.get(ids))
    return checked + limit


def apply_by_ids(edit: ShardEdit, op: SelectingOperation, version: int, done: int, limit: int) -> int | None:
    """Apply an operation to the next ``limit`` of the ids it lists, the first ``done`` being done.

    Returns how many are done then, None when they all are. Raises NotFoundError where the operation needs all of them
    to exist, before the first change; where they are more than ``limit``, ``check_ids`` has seen to that.
    """
    listed = op.ids or ()
    ids = _distinct(listed[done : done + limit])
    values = edit.get(ids)
    if done == 0 and _must_exist(op):
        _check_exist(ids, values)
    change = make_edit(edit, op, version)
    changed = [(i, change(decode_point(v))) for i, v in zip(ids, values, strict=True) if v is not None]
    for point_id, new in changed:
        _put(edit, point_id, new)
    return done + limit if done + limit < len(listed) else None


def _distinct(ids: Sequence[WireId]) -> list[PointId]:
    return list(dict.fromkeys(ids_from_wire(ids)))


def apply_by_filter(
    edit: ShardEdit, op: SelectingOperation, version: int, after: PointId | None, limit: int
) -> PointId | None:
    """Apply an operation to the next ``limit`` points after ``after`` that pass its filter.

    Returns the last id looked at when there may be more, None when the shard's end was reached. Needs an edit
    without changes: the scan sees the committed points only.
    """
    change = make_edit(edit, op, version)
    condition = parse_filter(op.filter)
    for looked_at, (point_id, value) in enumerate(edit.scan(after), start=1):
        point = decode_point(value)
        if point_matches(condition, point_id, point, edit.names):
            _put(edit, point_id, change(point))
        if looked_at == limit:
            return point_id
    return None
