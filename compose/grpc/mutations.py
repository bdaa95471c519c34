"""Changes to points as REST writes them."""

from typing import Any, cast

import msgspec

from compose.grpc.fields import Json, read, read_all, read_fields, reads, variant
from compose.grpc.given import given_vectors
from compose.grpc.values import read_id, read_object
from schemas.errors import BadInputError
from schemas.rest.points import PointRequest, PointVectorsRequest

_SELECTORS = ("points", "points_selector")


@reads("PointStruct")
def _point(message: Any) -> PointRequest:
    point_id = _id(message)
    vectors = cast("Any", given_vectors(message.vectors))
    fields = message.payload
    return PointRequest(point_id, vectors, read_object(fields) if fields else msgspec.UNSET)


@reads("PointVectors")
def _point_vectors(message: Any) -> PointVectorsRequest:
    return PointVectorsRequest(_id(message), cast("Any", given_vectors(message.vectors)))


def _id(message: Any) -> int | str:
    point_id = message.id
    number: int = point_id.num
    if number:
        return number
    if not message.HasField("id"):
        raise BadInputError("Empty ID is not allowed")
    return read_id(point_id)


@reads("UpsertPoints", "PointStructList", "UpdatePointVectors", "UpdateVectors")
def _points(message: Any) -> Json:
    found = read_fields(message, "points", shard_key_selector="shard_key")
    if "update_filter" in found:
        found["update_filter"] = _raw(found["update_filter"])
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
    found = read_fields(message, *_SELECTORS, "payload", "vectors", shard_key_selector="shard_key")
    for name in _SELECTORS:
        if name in names and message.HasField(name):
            found.update(read(getattr(message, name)))
    if "filter" in found:
        found["filter"] = _raw(found["filter"])
    if "payload" in names:
        found["payload"] = read_object(message.payload)
    if "keys" in names:
        found["keys"] = list(message.keys)
    if "vectors" in names:
        found["vector"] = list(message.vectors.names)
    return found


def _raw(value: Json) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


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
