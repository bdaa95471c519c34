"""Ids, payloads and vectors, as messages and as JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from compose.grpc.fields import Json, reads, variant
from schemas.errors import BadInputError


@reads("PointId")
def read_id(message: Any) -> int | str:
    """A point id. Raises BadInputError."""
    chosen = variant(message, "point_id_options")
    if chosen is None:
        raise BadInputError("No ID options provided")
    name, value = chosen
    if name == "uuid":
        try:
            UUID(value)
        except ValueError as error:
            raise BadInputError(f"Unable to parse UUID: {value}") from error
    return value


def write_id(value: int | str, message: Any) -> None:
    """Fill in a PointId."""
    if isinstance(value, int):
        message.num = value
    else:
        message.uuid = value


@reads("Value")
def read_value(message: Any) -> Json:
    """Any JSON value."""
    chosen = variant(message, "kind")
    if chosen is None or chosen[0] == "null_value":
        return None
    name, value = chosen
    if name == "struct_value":
        return read_payload(value.fields)
    if name == "list_value":
        return [read_value(one) for one in value.values]
    return value


def read_payload(fields: Mapping[str, Any]) -> dict[str, Json]:
    """A JSON object."""
    return {key: read_value(fields[key]) for key in fields}


def write_value(value: Json, message: Any) -> None:
    """Fill in a Value. An integer that takes more than 64 bits is told as a float."""
    if value is None:
        message.null_value = 0
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        message.integer_value = value
    elif isinstance(value, int | float):
        message.double_value = _float(value)
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, dict):
        message.struct_value.SetInParent()
        write_payload(cast("dict[str, Json]", value), message.struct_value.fields)
    else:
        message.list_value.SetInParent()
        for one in value:
            write_value(one, message.list_value.values.add())


def write_payload(payload: Mapping[str, Json], fields: Any) -> None:
    """Fill in a map of Values."""
    for key, value in payload.items():
        write_value(value, fields[key])


@reads("DenseVector")
def _dense(message: Any) -> Json:
    return list(message.data)


@reads("MultiDenseVector")
def _multi(message: Any) -> Json:
    return [list(one.data) for one in message.vectors]


@reads("SparseVector")
def _sparse(message: Any) -> Json:
    return {"indices": list(message.indices), "values": list(message.values)}


@reads("Timestamp")
def read_timestamp(message: Any) -> str:
    """A moment, as RFC 3339 writes it. Raises BadInputError."""
    try:
        moment = datetime.fromtimestamp(message.seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadInputError(f"Unable to parse timestamp: {message.seconds}") from error
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{message.nanos // 1000:06d}Z"


def write_vectors(value: Json, message: Any) -> None:
    """Fill in a VectorsOutput: the unnamed vector, or named ones."""
    if isinstance(value, dict):
        message.vectors.SetInParent()
        for name, vector in cast("dict[str, Json]", value).items():
            _write_vector(vector, message.vectors.vectors[name])
    else:
        _write_vector(value, message.vector)


def _write_vector(value: Json, message: Any) -> None:
    if isinstance(value, dict):
        message.sparse.indices.extend(value["indices"])
        message.sparse.values.extend(value["values"])
    elif value and isinstance(value[0], list):
        for row in cast("list[Json]", value):
            message.multi_dense.vectors.add().data.extend(row)
    else:
        message.dense.data.extend(value)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
