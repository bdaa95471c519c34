"""The rules an operation must satisfy under a collection's configuration: one copy, for routes, records and tools."""

from collections.abc import Sequence
from typing import Any

import msgspec

from schemas.config import UNNAMED, CollectionConfig
from schemas.errors import BadInputError, UnprocessableError
from schemas.filters import parse_filter
from schemas.ids import ids_from_wire
from schemas.json_path import parse_path
from schemas.nesting import MAX_DEPTH, check_depth
from schemas.operations import (
    DeletePayload,
    DeleteVectors,
    FilterObject,
    Operation,
    OverwritePayload,
    SetPayload,
    UpdateVectors,
    Upsert,
)
from schemas.vectors.registry import VectorColumn

MAX_POINTS_PER_OPERATION = 1_000_000
MAX_OPERATIONS = 10_000
"""In one request, or one foreign record."""


def check_operation_count(field: str, count: int) -> None:
    """Raise UnprocessableError when there are more operations in ``field`` than a request may have."""
    if count > MAX_OPERATIONS:
        raise UnprocessableError(f"Validation error in JSON body: [{field}: at most {MAX_OPERATIONS}, not {count}]")


def check_point_count(count: int) -> None:
    """Raise BadInputError when there are more points than an operation may name."""
    if count > MAX_POINTS_PER_OPERATION:
        raise BadInputError(f"Wrong input: {count} points in one operation, at most {MAX_POINTS_PER_OPERATION}")


def check_operation(config: CollectionConfig, op: Operation) -> None:
    """Check everything about ``op`` but its payloads' text. Raises BadInputError naming what is wrong."""
    if op.ids is not None:
        check_point_count(len(op.ids))
    if isinstance(op, Upsert):
        _check_points(config, op.ids, op.vectors, op.update_filter)
        if op.payloads is not None and len(op.payloads) != len(op.ids):
            raise BadInputError(f"Wrong input: {len(op.ids)} ids but {len(op.payloads)} payloads")
        return
    if isinstance(op, UpdateVectors):
        _check_points(config, op.ids, op.vectors, op.update_filter)
        return
    if (op.ids is None) == (op.filter is None):
        raise BadInputError("Wrong input: an operation names its points by ids or by a filter, one of them")
    if op.ids is not None:
        ids_from_wire(op.ids)
    if op.filter is not None:
        parse_filter(op.filter)
    if isinstance(op, DeleteVectors):
        for name in op.names:
            _check_name(config, name)
    if isinstance(op, DeletePayload):
        for key in op.keys:
            parse_path(key)
    if isinstance(op, SetPayload | OverwritePayload) and op.key is not None:
        parse_path(op.key)


def check_payloads(op: Operation) -> None:
    """Check that every payload is a JSON object of at most MAX_DEPTH levels. Raises BadInputError."""
    if isinstance(op, Upsert):
        for payload in op.payloads or ():
            if payload:
                decode_payload(payload)
    elif isinstance(op, SetPayload | OverwritePayload):
        payload = decode_payload(op.payload)
        if op.key is not None:
            # Each step of the path adds at most one level, so no edit can nest a payload past the limit.
            check_depth(payload, MAX_DEPTH - op.key.count(".") - op.key.count("[") - 1)


_payload_decoder = msgspec.json.Decoder(dict[str, Any])


def decode_payload(payload: bytes) -> dict[str, Any]:
    """The payload as a dict; empty bytes are an empty one. Raises BadInputError."""
    if not payload:
        return {}
    try:
        value = _payload_decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadInputError(f"payload is not a JSON object: {error}") from error
    if len(payload) > 2 * MAX_DEPTH and payload.count(b"{") + payload.count(b"[") > MAX_DEPTH:
        check_depth(value)
    return value


def _check_points(
    config: CollectionConfig,
    ids: Sequence[int | bytes],
    vectors: dict[str, VectorColumn],
    update_filter: FilterObject | None,
) -> None:
    ids_from_wire(ids)
    for name, column in vectors.items():
        _check_column(config, name, column, len(ids))
    if update_filter is not None:
        parse_filter(update_filter)


def _check_name(config: CollectionConfig, name: str) -> None:
    if name in config.names:
        return
    if name == UNNAMED and config.names:
        known = ", ".join(sorted(config.names))
        raise BadInputError(f"Wrong input: Not existing vector name error: this collection has named vectors ({known})")
    raise BadInputError(f"Wrong input: Not existing vector name error: {name}")


def _check_column(config: CollectionConfig, name: str, column: VectorColumn, points: int) -> None:
    _check_name(config, name)
    if column.position is not None and column.position != config.positions[name]:
        raise BadInputError(
            f"Wrong input: Not existing vector name error: {name} (it was deleted, and added again as another vector)"
        )
    config.kinds[name].check(column, points, name)
