"""Routes of queries, and of the older endpoints, whose requests say the same in other words."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from ingest.http.endpoint import Call, Endpoint, Reply
from ingest.http.query import Parameters, read_flag
from query_api.answering import Answering
from query_api.explain import Explanation
from query_api.reading import Reader
from schemas.rest.decode import decode_body
from schemas.rest.groups import QueryGroupsRequest, RecommendGroupsRequest, SearchGroupsRequest
from schemas.rest.queries import (
    DiscoverBatchRequest,
    DiscoverRequest,
    QueryBatchRequest,
    QueryRequest,
    RecommendBatchRequest,
    RecommendRequest,
    SearchBatchRequest,
    SearchRequest,
)
from schemas.rest.responses import GroupsResult, QueryResult, ScoredPointResult

TAG = "Points"
_ROOT = "/collections/{collection_name}/points"
_Points = list[ScoredPointResult]
_PARAMETERS: Parameters = MappingProxyType({"explain": read_flag})


class QueryRoutes:
    """The routes of queries."""

    def __init__(self, reader: Reader, answering: Answering) -> None:
        self._reader = reader
        self._answering = answering

    def endpoints(self) -> list[Endpoint]:
        """Query, search, recommend, discover, alone, in batches and in groups."""
        return [
            self._one("/query", "Query points", QueryRequest, QueryResult),
            self._many("/query/batch", "Query points in batch", QueryBatchRequest, QueryResult),
            self._one("/search", "Search points", SearchRequest),
            self._many("/search/batch", "Search points in batch", SearchBatchRequest),
            self._one("/recommend", "Recommend points", RecommendRequest),
            self._many("/recommend/batch", "Recommend points in batch", RecommendBatchRequest),
            self._one("/discover", "Discover points", DiscoverRequest),
            self._many("/discover/batch", "Discover points in batch", DiscoverBatchRequest),
            self._groups("/query/groups", "Query points in groups", QueryGroupsRequest),
            self._groups("/search/groups", "Search point groups", SearchGroupsRequest),
            self._groups("/recommend/groups", "Recommend point groups", RecommendGroupsRequest),
        ]

    def _one(self, path: str, summary: str, body: Any, result: Any = None) -> Endpoint:
        decoder, wrap = msgspec.json.Decoder(body), result or _bare

        async def handle(call: Call) -> Reply:
            reading = await self._reader.begin(call)
            request = decode_body(decoder, call.body)
            if not isinstance(request, QueryRequest):
                request = _as_query(request)
            if request.shard_key is not None:
                reading = self._reader.narrowed(reading, call, request.shard_key)
            explained = _explained(call) if call.params.others else None
            points = await self._answering.answer(reading, request, explained)
            return Reply(wrap(points), explain=explained[0] if explained else msgspec.UNSET, size=reading.budget.size)

        return Endpoint(
            "POST",
            _ROOT + path,
            handle,
            summary,
            TAG,
            result=result or _Points,
            body=body,
            reads=True,
            parameters=_PARAMETERS,
        )

    def _many(self, path: str, summary: str, body: Any, result: Any = None) -> Endpoint:
        decoder, wrap = msgspec.json.Decoder(body), result or _bare

        async def handle(call: Call) -> Reply:
            reading = await self._reader.begin(call)
            requests: Sequence[Any] = decode_body(decoder, call.body).searches
            explained = _explained(call)
            queries = [_as_query(request) for request in requests]
            readings = [self._reader.narrowed(reading, call, query.shard_key) for query in queries]
            answers = await self._answering.answer_all(list(zip(readings, queries, strict=True)), explained)
            return Reply(
                [wrap(points) for points in answers],
                explain=msgspec.UNSET if explained is None else explained,
                size=reading.budget.size,
            )

        results = list[result or _Points]
        return Endpoint(
            "POST", _ROOT + path, handle, summary, TAG, result=results, body=body, reads=True, parameters=_PARAMETERS
        )

    def _groups(self, path: str, summary: str, body: Any) -> Endpoint:
        decoder = msgspec.json.Decoder(body)

        async def handle(call: Call) -> Reply:
            reading = await self._reader.begin(call)
            request = decode_body(decoder, call.body)
            grouped: QueryGroupsRequest = request if isinstance(request, QueryGroupsRequest) else request.grouped()
            reading = self._reader.narrowed(reading, call, grouped.shard_key)
            explained = _explained(call)
            groups = await self._answering.answer_groups(reading, grouped, explained)
            return Reply(groups, explain=explained[0] if explained else msgspec.UNSET, size=reading.budget.size)

        return Endpoint(
            "POST",
            _ROOT + path,
            handle,
            summary,
            TAG,
            result=GroupsResult,
            body=body,
            reads=True,
            parameters=_PARAMETERS,
        )


def _explained(call: Call) -> list[Explanation] | None:
    """Where explanations go, where they are asked for."""
    return [] if call.params.others.get("explain") else None


def _as_query(request: Any) -> QueryRequest:
    if isinstance(request, QueryRequest):
        return request
    query: QueryRequest = request.query()
    return query


def _bare(points: _Points) -> _Points:
    return points
