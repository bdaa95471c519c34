"""Requests that read points: retrieve, scroll, count, query, and the older search."""

from typing import Annotated, Any

import msgspec

from schemas.rest.decode import NotYet
from schemas.rest.points import JsonFilter, JsonId

MAX_INTEGER = (1 << 63) - 1
"""The largest bound that msgspec can hold a number to. Python's own have none, and become no float when huge."""
AtLeastOne = Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)]
AtLeastZero = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
DEFAULT_LIMIT = 10
MAX_KEYS = 1024
Keys = Annotated[list[str], msgspec.Meta(max_length=MAX_KEYS)]


class PayloadSelector(msgspec.Struct, forbid_unknown_fields=True):
    """Payload keys (paths) to give, or to leave out."""

    include: Keys | None = None
    exclude: Keys | None = None

    def __post_init__(self) -> None:
        if (self.include is None) == (self.exclude is None):
            raise ValueError("Expected one of `include` and `exclude`")


WithPayload = bool | Keys | PayloadSelector
WithVector = bool | Keys


class RetrieveRequest(msgspec.Struct):
    """Points by id."""

    ids: list[JsonId]
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None
    shard_key: NotYet = None


class ScrollRequest(msgspec.Struct):
    """A page of points in id order, from the id ``offset``."""

    offset: JsonId | None = None
    limit: AtLeastOne | None = None
    filter: JsonFilter | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None
    order_by: NotYet = None
    shard_key: NotYet = None


class CountRequest(msgspec.Struct):
    """How many points pass a filter. Counts are always exact."""

    filter: JsonFilter | None = None
    exact: bool = True
    shard_key: NotYet = None


class QuantizationParams(msgspec.Struct):
    """How to search quantized vectors. Nothing is quantized yet, so every search is one of originals."""

    ignore: bool | None = None
    rescore: bool | None = None
    oversampling: Annotated[float, msgspec.Meta(ge=1.0)] | None = None


class SearchParams(msgspec.Struct):
    """How to search."""

    hnsw_ef: AtLeastOne | None = None
    exact: bool | None = None
    indexed_only: bool | None = None
    quantization: QuantizationParams | None = None
    acorn: NotYet = None
    idf: NotYet = None


class NearestQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Points nearest to a vector, or to that of a point."""

    nearest: list[float] | JsonId | None = None
    mmr: NotYet = None
    recommend: NotYet = None
    discover: NotYet = None
    context: NotYet = None
    order_by: NotYet = None
    fusion: NotYet = None
    rrf: NotYet = None
    formula: NotYet = None
    sample: NotYet = None
    relevance_feedback: NotYet = None
    indices: NotYet = None
    values: NotYet = None
    text: NotYet = None
    image: NotYet = None
    object: NotYet = None

    def __post_init__(self) -> None:
        if self.nearest is None:
            raise ValueError("Expected `nearest`")


class QueryRequest(msgspec.Struct):
    """A query; without ``query`` points come in id order."""

    query: NearestQuery | list[float] | JsonId | None = None
    using: str | None = None
    filter: JsonFilter | None = None
    params: SearchParams | None = None
    score_threshold: float | None = None
    limit: AtLeastOne | None = None
    offset: AtLeastZero | None = None
    with_vector: WithVector | None = None
    with_payload: WithPayload | None = None
    prefetch: list[Any] | dict[str, Any] | None = None
    lookup_from: NotYet = None
    shard_key: NotYet = None


class QueryBatchRequest(msgspec.Struct):
    """Several queries."""

    searches: list[QueryRequest]


class NamedVector(msgspec.Struct):
    """A vector and its name."""

    name: str
    vector: list[float]


class SearchRequest(msgspec.Struct):
    """The search of Qdrant's releases before queries."""

    vector: list[float] | NamedVector
    limit: AtLeastOne
    filter: JsonFilter | None = None
    params: SearchParams | None = None
    offset: AtLeastZero | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None
    score_threshold: float | None = None
    shard_key: NotYet = None

    def query(self) -> QueryRequest:
        """The same as a query."""
        return QueryRequest(
            query=self.vector.vector if isinstance(self.vector, NamedVector) else self.vector,
            using=self.vector.name if isinstance(self.vector, NamedVector) else None,
            filter=self.filter,
            params=self.params,
            score_threshold=self.score_threshold,
            limit=self.limit,
            offset=self.offset,
            with_vector=self.with_vector,
            with_payload=self.with_payload,
        )


class SearchBatchRequest(msgspec.Struct):
    """Several searches."""

    searches: list[SearchRequest]
