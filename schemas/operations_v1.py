"""Operations as records of version 1 have them: all columns are dense float32, and have no tag."""

import msgspec

from schemas.ids import WireId
from schemas.operations import (
    ClearPayload,
    DeletePayload,
    DeletePoints,
    DeleteVectors,
    FilterObject,
    Operation,
    OverwritePayload,
    SetPayload,
    UpdateMode,
    UpdateVectors,
    Upsert,
)
from schemas.vectors.dense import DenseColumn
from schemas.vectors.registry import VectorColumn


class _ColumnV1(msgspec.Struct, frozen=True):
    dim: int
    data: bytes
    rows: list[int] | None = None


class UpsertV1(msgspec.Struct, frozen=True, tag_field="op", tag="upsert"):
    """Insert points, or replace them whole."""

    ids: list[WireId]
    vectors: dict[str, _ColumnV1]
    payloads: list[bytes] | None = None
    update_filter: FilterObject | None = None
    update_mode: UpdateMode = UpdateMode.UPSERT


class UpdateVectorsV1(msgspec.Struct, frozen=True, tag_field="op", tag="update_vectors"):
    """Replace the given vectors of existing points."""

    ids: list[WireId]
    vectors: dict[str, _ColumnV1]
    update_filter: FilterObject | None = None


OperationV1 = (
    UpsertV1
    | UpdateVectorsV1
    | DeleteVectors
    | SetPayload
    | OverwritePayload
    | DeletePayload
    | ClearPayload
    | DeletePoints
)


def upgrade(op: OperationV1) -> Operation:
    """The operation as this release has it."""
    match op:
        case UpsertV1():
            return Upsert(op.ids, _columns(op.vectors), op.payloads, op.update_filter, op.update_mode)
        case UpdateVectorsV1():
            return UpdateVectors(op.ids, _columns(op.vectors), op.update_filter)
        case _:
            return op


def _columns(columns: dict[str, _ColumnV1]) -> dict[str, VectorColumn]:
    return {name: DenseColumn(column.dim, column.data, column.rows) for name, column in columns.items()}
