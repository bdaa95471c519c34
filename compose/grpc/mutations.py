"""Changes to points as REST writes them."""

from typing import Any

from compose.grpc.fields import Json, read, read_all, read_fields, reads, variant
from compose.grpc.values import read_payload
from schemas.errors import BadInputError

_SELECTORS = ("points", "points_selector")


@reads("PointStruct")
def _point(message: Any) -> Json:
    _check_point(message)
    return {
        "id": read(message.id),
        "vector": read(message.vectors),
        "payload": read_payload(message.payload),
    }


@reads("PointVectors")
def _point_vectors(message: Any) -> Json:
    _check_point(message)
    return {"id": read(message.id), "vector": read(message.vectors)}


def _check_point(message: Any) -> None:
    if not message.HasField("id"):
        raise BadInputError("Empty ID is not allowed")
    if not message.HasField("vectors"):
        raise BadInputError("Expected some vectors")


@reads("Vectors")
def _vectors(message: Any) -> Json:
    chosen = variant(message, "vectors_options")
    if chosen is None:
        raise BadInputError("Expected some vectors")
    name, value = chosen
    return read(value) if name == "vector" else {key: read(value.vectors[key]) for key in value.vectors}


@reads("UpsertPoints", "PointStructList", "UpdatePointVectors", "UpdateVectors")
def _points(message: Any) -> Json:
    found = read_fields(message, "points", shard_key_selector="shard_key")
    return {**found, "points": read_all(message.points)}


@reads(
    "DeletePoints",
    "ClearPayloadPoints",
    "ClearPayload",
    "SetPayloadPoints",
    "SetPayload",
    "OverwritePayload",
    "DeletePayloadPoints",
    "DeletePayload",
    "DeletePointVectors",
    "DeleteVectors",
)
def _by_selector(message: Any) -> Json:
    """What selects points stands beside the rest."""
    names = {field.name for field in message.DESCRIPTOR.fields}
    found = read_fields(message, *_SELECTORS, "vectors", shard_key_selector="shard_key")
    for name in _SELECTORS:
        if name in names and message.HasField(name):
            found.update(read(getattr(message, name)))
    if "payload" in names:
        found["payload"] = read_payload(message.payload)
    if "keys" in names:
        found["keys"] = list(message.keys)
    if "vectors" in names:
        found["vector"] = list(message.vectors.names)
    return found


@reads("PointsSelector")
def _selector(message: Any) -> Json:
    chosen = variant(message, "points_selector_one_of")
    if chosen is None:
        raise BadInputError("Malformed PointsSelector type")
    name, value = chosen
    return {name: read_all(value.ids) if name == "points" else read(value)}


@reads("PointsUpdateOperation")
def _operation(message: Any) -> Json:
    chosen = variant(message, "operation")
    if chosen is None:
        raise BadInputError("Operation is missing")
    name, value = chosen
    return {name.removesuffix("_deprecated").replace("delete_points", "delete"): read(value)}
