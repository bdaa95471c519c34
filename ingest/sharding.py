"""Operations to records: each shard gets its part, in order, in pieces that a log takes gladly."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.ids import ids_from_wire, shard_of
from schemas.operations import Operation, UpdateVectors, Upsert
from schemas.vectors.registry import VectorColumn

_ID_BYTES = 18
"""The most that an id takes in MessagePack."""
_LENGTH_BYTES = 5
"""The most that the length of a payload takes, or the row of a vector."""
_COLUMN_BYTES = 40
_LISTS_BYTES = 32
"""What the names and lengths of a column take, and those of an operation's lists."""
FRAMING_BYTES = 4096
"""Room for what a log and a record take beside operations: a batch, headers, where the record came from."""
_LEAST_ROOM = 16
"""Points get a sixteenth of a record at least: a large payload for many points would be repeated for each."""

Positions = NDArray[np.int64]
"""int64 [k], ascending: some of an operation's points."""


def split_at(log_bytes: int, wanted: int) -> int:
    """How large records are to become: ``wanted``, or less where the log takes ``log_bytes`` as one and no more."""
    return min(wanted, log_bytes - min(FRAMING_BYTES, log_bytes // 2))


def records_of(operations: Sequence[Operation], shards: int, max_bytes: int) -> list[tuple[int, list[Operation]]]:
    """(shard, operations) of every record that ``operations`` become; those of a shard are in order.

    An operation with a filter goes to every shard. A record has about ``max_bytes`` unless a single point is
    larger; an operation that is split for that keeps the order of its points.
    """
    if shards == 1 and len(operations) == 1 and len(operations[0].ids or ()) < 2:
        # Of one point, or by a filter: nothing to be split. Most writes are.
        return [(0, [operations[0]])]
    parts: dict[int, list[list[Operation]]] = {}
    filled: dict[int, int] = {}
    for operation in operations:
        for shard, part in _by_shard(operation, shards):
            for piece, size in _by_size(part, max_bytes):
                records = parts.setdefault(shard, [[]])
                if records[-1] and filled[shard] + size > max_bytes:
                    records.append([])
                    filled[shard] = 0
                records[-1].append(piece)
                filled[shard] = filled.get(shard, 0) + size
    return [(shard, record) for shard, records in sorted(parts.items()) for record in records]


def parts_of(operations: Sequence[Operation], shards: int) -> dict[int, list[tuple[int, Operation]]]:
    """What each shard gets, by shard in ascending order: (index in ``operations``, its part of that operation)."""
    parts: dict[int, list[tuple[int, Operation]]] = {}
    for index, operation in enumerate(operations):
        for shard, part in _by_shard(operation, shards):
            parts.setdefault(shard, []).append((index, part))
    return dict(sorted(parts.items()))


def size_of(operations: Sequence[Operation]) -> int:
    """About how many bytes the points in ``operations`` take."""
    return sum(map(_points_size, operations))


def _by_shard(operation: Operation, shards: int) -> Iterator[tuple[int, Operation]]:
    if operation.ids is None:
        yield from ((shard, operation) for shard in range(shards))
        return
    ids = operation.ids
    if shards == 1 or not ids:
        # An operation on no points is still one record, so that the answer has an offset.
        yield 0, operation
        return
    homes = np.fromiter((shard_of(i, shards) for i in ids_from_wire(ids)), np.int64, len(ids))
    for shard in np.unique(homes).tolist():
        yield shard, take_points(operation, np.flatnonzero(homes == shard))


def _by_size(operation: Operation, max_bytes: int) -> Iterator[tuple[Operation, int]]:
    """The operation in pieces, and about how much each takes."""
    shared = _shared_size(operation)
    total = shared + _points_size(operation)
    ids = operation.ids
    if total <= max_bytes or ids is None or len(ids) < 2:
        yield operation, total
        return
    room = max(max_bytes - shared, max_bytes // _LEAST_ROOM)
    ends = np.cumsum(_point_sizes(operation, len(ids)))
    start = 0
    while start < len(ids):
        done = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(ends, done + room, side="right")))
        yield take_points(operation, np.arange(start, end)), shared + int(ends[end - 1]) - done
        start = end


def _shared_size(operation: Operation) -> int:
    """What is in every piece: filters, a payload for all points, keys, names."""
    columns: Iterable[str] = ()
    if isinstance(operation, Upsert):
        columns, operation = operation.vectors, Upsert([], {}, None, operation.update_filter, operation.update_mode)
    elif isinstance(operation, UpdateVectors):
        columns, operation = operation.vectors, UpdateVectors([], {}, operation.update_filter)
    elif operation.ids is not None:
        operation = msgspec.structs.replace(operation, ids=[])
    size = _LISTS_BYTES + sum(_COLUMN_BYTES + len(name.encode()) for name in columns)
    try:
        return size + len(msgspec.msgpack.encode(operation))
    except OverflowError:
        # Whoever encodes the record refuses it.
        return size


def _points_size(operation: Operation) -> int:
    size = _ID_BYTES * len(operation.ids or ())
    if isinstance(operation, Upsert | UpdateVectors):
        for column in operation.vectors.values():
            size += column.size() + _LENGTH_BYTES * len(column.rows or ())
    if isinstance(operation, Upsert) and operation.payloads is not None:
        size += sum(map(len, operation.payloads)) + _LENGTH_BYTES * len(operation.payloads)
    return size


def _point_sizes(operation: Operation, points: int) -> NDArray[np.int64]:
    sizes = np.full(points, _ID_BYTES, np.int64)
    if isinstance(operation, Upsert | UpdateVectors):
        for column in operation.vectors.values():
            rows = slice(None) if column.rows is None else np.array(column.rows, np.int64)
            sizes[rows] += column.sizes() + (0 if column.rows is None else _LENGTH_BYTES)
    if isinstance(operation, Upsert) and operation.payloads is not None:
        sizes += np.fromiter(map(len, operation.payloads), np.int64, points) + _LENGTH_BYTES
    return sizes


def take_points(operation: Operation, positions: Positions) -> Operation:
    """The same operation on some of its points only. It must name its points by ids."""
    picked = positions.tolist()
    ids = operation.ids or []
    taken = msgspec.structs.replace(operation, ids=[ids[i] for i in picked])
    if isinstance(operation, Upsert | UpdateVectors):
        taken = msgspec.structs.replace(taken, vectors=_take_columns(operation.vectors, positions, len(ids)))
    if isinstance(operation, Upsert) and operation.payloads is not None:
        payloads = operation.payloads
        taken = msgspec.structs.replace(taken, payloads=[payloads[i] for i in picked])
    return taken


def _take_columns(columns: dict[str, VectorColumn], positions: Positions, points: int) -> dict[str, VectorColumn]:
    taken = {name: _take_rows(column, positions, points) for name, column in columns.items()}
    return {name: column for name, column in taken.items() if column.rows is None or column.rows}


def _take_rows(column: VectorColumn, positions: Positions, points: int) -> VectorColumn:
    if column.rows is None:
        return column.take(positions, None)
    place = np.full(points, -1, np.int64)
    place[positions] = np.arange(len(positions))
    rows = place[np.array(column.rows, np.int64)]
    return column.take(np.flatnonzero(rows >= 0), rows[rows >= 0].tolist())
