"""Ids, payloads and vectors, as messages and as JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, cast
from uuid import UUID

import msgspec

from compose.grpc.fields import Json, reads
from compose.grpc.numbers import list_of
from schemas.errors import BadInputError

_encode = msgspec.json.Encoder().encode


@reads("PointId")
def read_id(message: Any) -> int | str:
    """A point id. Raises BadInputError."""
    # A number that isn't 0 is there; asking which of the two there is takes as long again.
    number: int = message.num
    if number:
        return number
    name = message.WhichOneof("point_id_options")
    if name == "num":
        return number
    if name is None:
        raise BadInputError("No ID options provided")
    text: str = message.uuid
    try:
        UUID(text)
    except ValueError as error:
        raise BadInputError(f"Unable to parse UUID: {text}") from error
    return text


def write_id(value: int | str, message: Any) -> None:
    """Fill in a PointId."""
    if isinstance(value, int):
        message.num = value
    else:
        message.uuid = value


@reads("Value")
def read_value(message: Any) -> Json:
    """Any JSON value. Raises BadInputError for a number that JSON has no way to write."""
    name = message.WhichOneof("kind")
    if name is None or name == "null_value":
        return None
    value = getattr(message, name)
    if name == "struct_value":
        return read_payload(value.fields)
    if name == "list_value":
        return [read_value(one) for one in value.values]
    if name == "double_value" and not isfinite(value):
        raise BadInputError("Wrong input: a number of a payload is NaN or infinite, which JSON has no way to write")
    return value


def read_payload(fields: Mapping[str, Any]) -> dict[str, Json]:
    """A JSON object. Raises BadInputError."""
    return {key: read_value(fields[key]) for key in fields}


def read_object(fields: Mapping[str, Any]) -> msgspec.Raw:
    """A JSON object as text. Raises BadInputError."""
    return msgspec.Raw(_encode(read_payload(fields)))


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
    return list_of(message)


@reads("MultiDenseVector")
def _multi(message: Any) -> Json:
    return [list_of(one) for one in message.vectors]


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


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
