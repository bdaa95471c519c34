"""The JSON of foreign records: one point as Qdrant's Kafka sink connector takes it, or a body of the REST API."""

from collections.abc import Callable
from typing import Any

import msgspec

from ingest import requests
from schemas.config import CollectionConfig
from schemas.errors import BadInputError
from schemas.operations import Operation
from schemas.rest.decode import decode_body
from schemas.rest.points import (
    DeletePayloadRequest,
    DeleteVectorsRequest,
    JsonId,
    RawObject,
    RawVector,
    SelectorRequest,
    SetPayloadRequest,
    UpdateBatchRequest,
    UpdateVectorsRequest,
    UpsertRequest,
)
from schemas.rest.shard_keys import ShardKeySelector, refuse_shard_key

MakeOperations = Callable[[CollectionConfig, Any], list[Operation]]
"""The checked operations of a decoded request."""

BATCH = "batch"
"""The kind of a body with ``operations``."""


class Body(msgspec.Struct, gc=False):
    """What tells the bodies apart, and the fields of a single point. Everything else is read by ``decode_request``."""

    collection_name: str
    id: JsonId | msgspec.UnsetType = msgspec.UNSET
    vector: RawVector | msgspec.UnsetType = msgspec.UNSET
    payload: RawObject | msgspec.UnsetType = msgspec.UNSET
    operation: str | None = None
    points: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    batch: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    operations: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    shard_key: ShardKeySelector | None = None
    shard_key_selector: ShardKeySelector | None = None

    def kind(self) -> str | None:
        """Which request this is the body of; None for a single point. Raises BadInputError when it may be several.

        So does a shard key: there are none.
        """
        several = self.points is not msgspec.UNSET or self.batch is not msgspec.UNSET
        whole = self.operations is not msgspec.UNSET
        refuse_shard_key(self.shard_key, "Wrong input")
        refuse_shard_key(self.shard_key_selector, "Wrong input")
        single = self.id is not msgspec.UNSET
        if single + several + whole > 1:
            raise BadInputError("Wrong input: expected one of `id`, `points` or `batch`, and `operations`")
        if self.operation is None:
            return BATCH if whole else "upsert" if several else None
        if whole:
            raise BadInputError("Wrong input: operation: not with `operations`, which name their own")
        if self.operation not in _REQUESTS or self.operation == BATCH:
            known = ", ".join(f"`{name}`" for name in _REQUESTS if name != BATCH)
            raise BadInputError(f"Wrong input: operation: expected one of {known}")
        return None if single and self.operation == "upsert" else self.operation


def _one(make: Callable[[CollectionConfig, Any], Operation]) -> MakeOperations:
    def operations(config: CollectionConfig, request: Any) -> list[Operation]:
        return [requests.operation_of(config, make, request)]

    return operations


def _batch(config: CollectionConfig, request: UpdateBatchRequest) -> list[Operation]:
    return requests.batch_operations(config, request.operations)


_REQUESTS: dict[str, tuple[msgspec.json.Decoder[Any], MakeOperations]] = {
    "upsert": (msgspec.json.Decoder(UpsertRequest), _one(requests.upsert)),
    "delete": (msgspec.json.Decoder(SelectorRequest), _one(requests.delete_points)),
    "set_payload": (msgspec.json.Decoder(SetPayloadRequest), _one(requests.set_payload)),
    "overwrite_payload": (msgspec.json.Decoder(SetPayloadRequest), _one(requests.overwrite_payload)),
    "delete_payload": (msgspec.json.Decoder(DeletePayloadRequest), _one(requests.delete_payload)),
    "clear_payload": (msgspec.json.Decoder(SelectorRequest), _one(requests.clear_payload)),
    "update_vectors": (msgspec.json.Decoder(UpdateVectorsRequest), _one(requests.update_vectors)),
    "delete_vectors": (msgspec.json.Decoder(DeleteVectorsRequest), _one(requests.delete_vectors)),
    BATCH: (msgspec.json.Decoder(UpdateBatchRequest), _batch),
}


def request_fields(kind: str) -> frozenset[str]:
    """The names of the fields that a body of this kind may have, beside those of every body."""
    return frozenset(field.encode_name for field in msgspec.structs.fields(_REQUESTS[kind][0].type))


def decode_request(kind: str, value: bytes) -> tuple[Any, MakeOperations]:
    """The REST request in ``value``, and how it becomes operations. Raises BadInputError, UnprocessableError."""
    decoder, make = _REQUESTS[kind]
    return decode_body(decoder, value), make
