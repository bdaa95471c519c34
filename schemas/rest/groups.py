"""Queries whose answers are grouped by a payload key."""

import msgspec

from schemas.rest.queries import Answered, QueryRequest, RecommendRequest, SearchRequest
from schemas.rest.reads import AtLeastOne, WithPayload, WithVector

DEFAULT_GROUP_SIZE = 3


class WithLookup(msgspec.Struct):
    """Another collection, whose points have the groups' values as ids, and what to give of them."""

    collection: str
    with_payload: WithPayload | None = None
    with_vectors: WithVector | None = None
    with_vector: WithVector | None = None


class QueryGroupsRequest(Answered, kw_only=True):
    """A query; ``limit`` counts groups, and ``group_size`` points in each."""

    group_by: str
    group_size: AtLeastOne | None = None
    with_lookup: str | WithLookup | None = None


class SearchGroupsRequest(SearchRequest, kw_only=True):
    """The grouped search of Qdrant's releases before queries."""

    group_by: str
    group_size: AtLeastOne
    with_lookup: str | WithLookup | None = None

    def grouped(self) -> QueryGroupsRequest:
        """The same as a query."""
        return _grouped(self, self.query())


class RecommendGroupsRequest(RecommendRequest, kw_only=True):
    """The grouped recommendation of those releases."""

    group_by: str
    group_size: AtLeastOne
    with_lookup: str | WithLookup | None = None

    def grouped(self) -> QueryGroupsRequest:
        """The same as a query."""
        return _grouped(self, self.query())


def _grouped(asked: SearchGroupsRequest | RecommendGroupsRequest, query: QueryRequest) -> QueryGroupsRequest:
    return QueryGroupsRequest(
        query=query.query,
        using=query.using,
        lookup_from=query.lookup_from,
        filter=query.filter,
        params=query.params,
        score_threshold=query.score_threshold,
        limit=query.limit,
        with_vector=query.with_vector,
        with_payload=query.with_payload,
        group_by=asked.group_by,
        group_size=asked.group_size,
        with_lookup=asked.with_lookup,
        shard_key=query.shard_key,
    )
