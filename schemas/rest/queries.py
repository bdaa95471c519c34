"""Query requests, and the older ones that say the same."""

from typing import Annotated, Any, Literal

import msgspec

from schemas.config import UNNAMED
from schemas.errors import BadInputError
from schemas.rest.points import JsonFilter, JsonId
from schemas.rest.reads import AtLeastOne, AtLeastZero, OrderBy, SearchParams, WithPayload, WithVector
from schemas.rest.shard_keys import ShardKeySelector
from schemas.vectors.inference import VectorObject
from schemas.vectors.kind import SparseVector

MAX_CANDIDATES = 16384
Numbers = list[float | list[float]]
VectorInput = Numbers | VectorObject | JsonId
"""A vector, what a model makes one of, or the id of the point whose vector it is."""


class LookupFrom(msgspec.Struct):
    """Where the points are whose vectors a query names by id."""

    collection: str
    vector: str | None = None
    shard_key: ShardKeySelector | None = None


class Mmr(msgspec.Struct):
    """How much to prefer points unlike each other, and among how many."""

    diversity: float | None = None
    candidates_limit: Annotated[int, msgspec.Meta(ge=0, le=MAX_CANDIDATES)] | None = None


class Recommend(msgspec.Struct):
    """Points like some and unlike others."""

    positive: list[VectorInput] | None = None
    negative: list[VectorInput] | None = None
    strategy: Literal["average_vector", "best_score", "sum_scores"] | None = None


class ContextPair(msgspec.Struct):
    """Nearer to ``positive`` than to ``negative``."""

    positive: VectorInput
    negative: VectorInput


Pairs = list[ContextPair] | ContextPair


class Discover(msgspec.Struct):
    """Points near a target, in a context first."""

    target: VectorInput
    context: Pairs | None


class Rrf(msgspec.Struct):
    """Fusion by reciprocal ranks."""

    k: AtLeastOne | None = None
    weights: list[float] | None = None


class FeedbackItem(msgspec.Struct):
    """An example, and how relevant it was found to be."""

    example: VectorInput
    score: float


class NaiveParams(msgspec.Struct):
    """What counts: the target, to which power differences of scores are taken, and examples."""

    a: float
    b: Annotated[float, msgspec.Meta(ge=0)]
    c: float


class NaiveStrategy(msgspec.Struct, forbid_unknown_fields=True):
    """How examples are put to use."""

    naive: NaiveParams


class RelevanceFeedback(msgspec.Struct):
    """Points near a target, and more like those examples that were found relevant."""

    target: VectorInput
    feedback: list[FeedbackItem]
    strategy: NaiveStrategy


class QueryObject(msgspec.Struct, forbid_unknown_fields=True):
    """One kind of query; ``mmr`` goes with ``nearest``, ``defaults`` with ``formula``."""

    nearest: VectorInput | None = None
    mmr: Mmr | None = None
    recommend: Recommend | None = None
    discover: Discover | None = None
    context: Pairs | msgspec.UnsetType | None = msgspec.UNSET
    fusion: Literal["rrf", "dbsf"] | None = None
    rrf: Rrf | None = None
    sample: Literal["random"] | None = None
    order_by: str | OrderBy | None = None
    formula: str | float | dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    defaults: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    relevance_feedback: RelevanceFeedback | None = None
    indices: list[int] | None = None
    values: list[float] | None = None
    text: str | msgspec.UnsetType = msgspec.UNSET
    image: Any = msgspec.UNSET
    object: Any = msgspec.UNSET
    model: str | None = None
    options: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if (self.indices is None) != (self.values is None):
            raise ValueError("Expected `indices` and `values` together")
        if self.indices is not None and self.values is not None:
            if self.nearest is not None:
                raise ValueError("Expected `nearest`, or `indices` and `values`")
            self.nearest = VectorObject(self.indices, self.values)
        elif self.nearest is None and self.model is not None:
            self.nearest = VectorObject(
                text=self.text, image=self.image, object=self.object, model=self.model, options=self.options
            )
        kinds = (
            self.nearest,
            self.recommend,
            self.discover,
            self.fusion,
            self.rrf,
            self.sample,
            self.order_by,
            self.relevance_feedback,
        )
        unset = self.context is msgspec.UNSET and self.formula is msgspec.UNSET
        if all(kind is None for kind in kinds) and unset:
            raise ValueError("Expected `nearest`, or another kind of query")
        # As in Qdrant, of several kinds the first one counts.
        if self.nearest is not None or self.recommend is not None:
            self.fusion = self.rrf = self.order_by = None
            self.formula = msgspec.UNSET


AnyQuery = QueryObject | Numbers | JsonId


class Prefetch(msgspec.Struct, kw_only=True):
    """A query whose results another one works on."""

    query: AnyQuery | None = None
    prefetch: "list[Prefetch] | Prefetch | None" = None
    using: str | None = None
    filter: JsonFilter | None = None
    params: SearchParams | None = None
    score_threshold: float | None = None
    limit: AtLeastOne | None = None
    lookup_from: LookupFrom | None = None


class Answered(Prefetch, kw_only=True):
    """A query, and what to give of the points that it finds."""

    with_vector: WithVector | None = None
    with_vectors: WithVector | msgspec.UnsetType | None = msgspec.UNSET
    with_payload: WithPayload | None = None
    shard_key: ShardKeySelector | None = None

    def __post_init__(self) -> None:
        if self.with_vectors is not msgspec.UNSET:
            self.with_vector = self.with_vectors


class QueryRequest(Answered, kw_only=True):
    """A query; without ``query`` points come in id order."""

    offset: AtLeastZero | None = None


class QueryBatchRequest(msgspec.Struct):
    """Several queries."""

    searches: list[QueryRequest]


class _Older(msgspec.Struct, kw_only=True):
    limit: AtLeastOne
    filter: JsonFilter | None = None
    params: SearchParams | None = None
    offset: AtLeastZero | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None
    with_vectors: WithVector | msgspec.UnsetType | None = msgspec.UNSET
    score_threshold: float | None = None
    shard_key: ShardKeySelector | None = None

    def __post_init__(self) -> None:
        if self.with_vectors is not msgspec.UNSET:
            self.with_vector = self.with_vectors

    def as_query(self, query: AnyQuery, using: str | None, lookup_from: LookupFrom | None = None) -> QueryRequest:
        """The same as a query."""
        return QueryRequest(
            query=query,
            using=using,
            lookup_from=lookup_from,
            filter=self.filter,
            params=self.params,
            score_threshold=self.score_threshold,
            limit=self.limit,
            offset=self.offset,
            with_vector=self.with_vector,
            with_payload=self.with_payload,
            shard_key=self.shard_key,
        )


class NamedVector(msgspec.Struct):
    """A vector and its name."""

    name: str
    vector: list[float] | SparseVector


class SearchRequest(_Older, kw_only=True):
    """The search of Qdrant's releases before queries."""

    vector: list[float] | NamedVector

    def query(self) -> QueryRequest:
        """The same as a query."""
        if isinstance(self.vector, NamedVector):
            named = self.vector.vector
            if isinstance(named, SparseVector):
                return self.as_query(QueryObject(nearest=VectorObject(named.indices, named.values)), self.vector.name)
            return self.as_query([*named], self.vector.name)
        return self.as_query([*self.vector], None)


class RecommendRequest(_Older, kw_only=True):
    """The recommendation of those releases."""

    positive: list[VectorInput] | None = None
    negative: list[VectorInput] | None = None
    strategy: Literal["average_vector", "best_score", "sum_scores"] | None = None
    using: str | None = None
    lookup_from: LookupFrom | None = None

    def query(self) -> QueryRequest:
        """The same as a query."""
        if not self.positive and not self.negative:
            raise BadInputError("Bad request: At least one positive vector ID required with this strategy")
        asked = Recommend(self.positive, self.negative, self.strategy)
        return self.as_query(QueryObject(recommend=asked), self.using, _unnamed_there(self.lookup_from))


class DiscoverRequest(_Older, kw_only=True):
    """The discovery of those releases. Without a target it is a query by context."""

    target: VectorInput | None = None
    context: list[ContextPair] | None = None
    using: str | None = None
    lookup_from: LookupFrom | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target is None and not self.context:
            raise ValueError("Expected `target` or `context`")

    def query(self) -> QueryRequest:
        """The same as a query."""
        pairs = self.context or []
        asked = (
            QueryObject(context=pairs) if self.target is None else QueryObject(discover=Discover(self.target, pairs))
        )
        return self.as_query(asked, self.using, _unnamed_there(self.lookup_from))


def _unnamed_there(lookup: LookupFrom | None) -> LookupFrom | None:
    """In these requests a lookup that names no vector means the unnamed one, not that of the same name."""
    return None if lookup is None else msgspec.structs.replace(lookup, vector=lookup.vector or UNNAMED)


class SearchBatchRequest(msgspec.Struct):
    """Several searches."""

    searches: list[SearchRequest]


class RecommendBatchRequest(msgspec.Struct):
    """Several recommendations."""

    searches: list[RecommendRequest]


class DiscoverBatchRequest(msgspec.Struct):
    """Several discoveries."""

    searches: list[DiscoverRequest]
