"""Requests that change points: upserts in both forms, vectors, payloads, deletes, and batches of them."""

from typing import Annotated, Any, Literal

import msgspec

from schemas.rest.shard_keys import ShardKeySelector
from schemas.vectors.inference import AnyVector

JsonId = int | str
"""A point id as JSON gives it; ``schemas.ids.parse_point_id`` says which are good."""
JsonVector = list[float | list[float]] | dict[str, AnyVector]
"""The unnamed vector, or named ones."""
JsonColumns = list[AnyVector] | dict[str, list[AnyVector]]
"""The unnamed vectors of points, or named ones."""


def _unnamed_or_named(schema: dict[str, Any]) -> msgspec.Meta:
    return msgspec.Meta(extra_json_schema={"anyOf": [schema, {"type": "object", "additionalProperties": schema}]})


_NUMBERS = {"type": "array", "items": {"type": "number"}}
RawVector = Annotated[msgspec.Raw, _unnamed_or_named(_NUMBERS)]
"""The JSON of a JsonVector: as it was sent, for ``ingest.vector_columns`` to read, or as it is answered."""
RawColumns = Annotated[msgspec.Raw, _unnamed_or_named({"type": "array", "items": _NUMBERS})]
"""The JSON of JsonColumns, as it was sent."""
JsonFilter = dict[str, Any]
RawObject = Annotated[
    msgspec.Raw,
    msgspec.Meta(extra_json_schema={"type": ["object", "null"], "additionalProperties": True}),
]
"""A JSON object that is kept as it was sent, or null."""
_NULL = msgspec.Raw(b"null")


class PointRequest(msgspec.Struct, gc=False):
    """One point. ``vectors`` is another name of ``vector``."""

    id: JsonId
    vector: RawVector | msgspec.UnsetType = msgspec.UNSET
    payload: RawObject | msgspec.UnsetType = msgspec.UNSET
    vectors: RawVector | msgspec.UnsetType = msgspec.UNSET


class BatchRequest(msgspec.Struct, gc=False):
    """Points in columns."""

    ids: list[JsonId]
    vectors: RawColumns
    payloads: list[RawObject] | None = None


class UpsertRequest(msgspec.Struct):
    """Points to insert or replace: ``batch``, in columns, or else ``points``."""

    points: list[PointRequest] | None = None
    batch: BatchRequest | None = None
    shard_key: ShardKeySelector | None = None
    update_filter: RawObject | msgspec.UnsetType = msgspec.UNSET
    update_mode: Literal["upsert", "insert_only", "update_only"] | None = None

    def __post_init__(self) -> None:
        if self.points is None and self.batch is None:
            raise ValueError("Expected one of `points` and `batch`")


class PointVectorsRequest(msgspec.Struct, gc=False):
    """A point's vectors."""

    id: JsonId
    vector: RawVector


class UpdateVectorsRequest(msgspec.Struct):
    """Vectors to replace; a point's other vectors and its payload stay."""

    points: list[PointVectorsRequest]
    shard_key: ShardKeySelector | None = None
    update_filter: RawObject | msgspec.UnsetType = msgspec.UNSET


class SelectorRequest(msgspec.Struct):
    """Which points: their ids, or else a filter."""

    points: list[JsonId] | None = None
    filter: RawObject | msgspec.UnsetType = msgspec.UNSET
    shard_key: ShardKeySelector | None = None

    def __post_init__(self) -> None:
        if self.points is None and (self.filter is msgspec.UNSET or self.filter == _NULL):
            raise ValueError("Either list of point ids or filter must be provided")


class DeleteVectorsRequest(SelectorRequest, kw_only=True):
    """Names of vectors to remove from points."""

    vector: list[str]


class SetPayloadRequest(SelectorRequest, kw_only=True):
    """A payload to merge into points', or to put in its place; ``key``: the path at which to do so."""

    payload: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object", "additionalProperties": True})]
    key: str | None = None


class DeletePayloadRequest(SelectorRequest, kw_only=True):
    """Payload keys (paths) to remove."""

    keys: list[str]


class UpdateOperationRequest(msgspec.Struct):
    """One operation of a batch: the first that is there of the eight."""

    upsert: UpsertRequest | None = None
    delete: SelectorRequest | None = None
    set_payload: SetPayloadRequest | None = None
    overwrite_payload: SetPayloadRequest | None = None
    delete_payload: DeletePayloadRequest | None = None
    clear_payload: SelectorRequest | None = None
    update_vectors: UpdateVectorsRequest | None = None
    delete_vectors: DeleteVectorsRequest | None = None

    def __post_init__(self) -> None:
        if all(getattr(self, name) is None for name in self.__struct_fields__):
            raise ValueError(f"Expected one of {', '.join(f'`{name}`' for name in self.__struct_fields__)}")


class UpdateBatchRequest(msgspec.Struct):
    """Operations, in order."""

    operations: list[UpdateOperationRequest]
