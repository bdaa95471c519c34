"""Single points in bulk: decoded and checked many at once, as the fold needs them.

Only what is plainly right is packed. Everything else stays the record that it is, and takes the way that knows what to
say of it.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from ingest.foreign import ForeignWrite
from ingest.foreign.writes import PointWrite
from ingest.parser import each_vector_of
from schemas.config import UNNAMED
from schemas.errors import BadInputError
from schemas.ids import PointId, from_wire, parse_point_id
from schemas.operations import Outcome, UpdateMode, Upsert
from schemas.records import PartitionRecord, PointsRecord
from schemas.validation import decode_payload
from schemas.vectors.dense import DenseColumn, DenseKind, all_finite
from schemas.vectors.params import Datatype

_EMPTY = (b"null", b"{}")


class PackedPoint(msgspec.Struct, frozen=True, gc=False):
    """The one point that ``record`` inserts or replaces, if its collection has the unnamed vector only.

    ``vector``: float32 as bytes; ``payload``: empty for none.
    """

    record: PointWrite | PointsRecord
    id: PointId
    vector: bytes
    payload: bytes


DecodedRecord = PartitionRecord | ForeignWrite | PackedPoint | Outcome
"""A record as it is read; an outcome where it can't be."""


def pack_foreign(kind: DenseKind, writes: Sequence[PointWrite]) -> list[PackedPoint | None]:
    """Each write packed, for plain vectors of ``kind``; None where that doesn't work out."""
    rows = each_vector_of([write.vector for write in writes], kind.dim)
    return [None if row is None else _pack_foreign(write, row) for write, row in zip(writes, rows, strict=True)]


def _pack_foreign(write: PointWrite, row: bytes) -> PackedPoint | None:
    payload = b"" if write.payload is msgspec.UNSET else bytes(write.payload)
    if payload in _EMPTY:
        payload = b""
    try:
        decode_payload(payload)
        return PackedPoint(write, parse_point_id(write.id), row, payload)
    except BadInputError:
        return None


def pack_canonical(records: Sequence[PointsRecord]) -> list[PackedPoint | None]:
    """Each record packed, or None where it is no upsert of one point, or not a good one."""
    columns = [_only_column(record) for record in records]
    if all(column is None for column in columns):
        return [None] * len(records)
    data = b"".join([column.data for column in columns if column is not None])
    # One number that is none spoils the whole: then each is left to the check that says so.
    if not all_finite(np.frombuffer(data, "<f4")):
        return [None] * len(records)
    return [
        None if column is None else _pack_canonical(record, column)
        for record, column in zip(records, columns, strict=True)
    ]


def _only_column(record: PointsRecord) -> DenseColumn | None:
    """The vector, if that and its payload is all there is to the record."""
    if len(record.ops) != 1:
        return None
    op = record.ops[0]
    if not isinstance(op, Upsert) or len(op.ids) != 1 or len(op.vectors) != 1:
        return None
    column = op.vectors.get(UNNAMED)
    if not isinstance(column, DenseColumn) or column.rows is not None or len(column.data) != column.width:
        return None
    if column.datatype is not Datatype.FLOAT32 or column.position is not None:
        return None
    plain = op.update_filter is None and op.update_mode is UpdateMode.UPSERT
    return column if plain and (op.payloads is None or len(op.payloads) == 1) else None


def _pack_canonical(record: PointsRecord, column: DenseColumn) -> PackedPoint | None:
    (op,) = record.ops
    if not isinstance(op, Upsert):
        raise AssertionError("an only column is that of an upsert")
    payload = b"" if op.payloads is None else op.payloads[0]
    try:
        decode_payload(payload)
        return PackedPoint(record, from_wire(op.ids[0]), column.data, payload)
    except BadInputError:
        return None
