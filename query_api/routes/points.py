"""Routes that read points: retrieve, scroll, count, query, and the older search."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from ingest.deadline import Deadline
from ingest.http.endpoint import Call, Endpoint, Handler, Reply
from ingest.http.limits import Limits
from ingest.ports import Catalog
from projector.view.shard_view import ShardView
from query_api.engine import count, is_costly, is_costly_filter, retrieve, scroll, search
from query_api.freshness import Freshness
from query_api.ports import Readers
from query_api.read_requests import to_filter, to_id, to_ids, to_nearest, to_selection, vector_values
from query_api.rendering import render_points, render_scored
from query_api.threads import ReadThreads
from schemas.config import CollectionConfig
from schemas.errors import NotFoundError, UnprocessableError
from schemas.filters import Filter
from schemas.ids import render_point_id
from schemas.rest.decode import decode_body
from schemas.rest.reads import (
    DEFAULT_LIMIT,
    CountRequest,
    QueryBatchRequest,
    QueryRequest,
    RetrieveRequest,
    ScrollRequest,
    SearchBatchRequest,
    SearchRequest,
    WithVector,
)
from schemas.rest.responses import CountResult, PointResult, QueryResult, ScoredPointResult, ScrollResult

TAG = "Points"
LARGE_ANSWER = 1000
"""From this many points on, an answer is put together on a thread."""
QUERIES_IN_A_ROW = 8
"""How many queries of a batch run before others get a turn."""
_ROOT = "/collections/{collection_name}/points"

ResultT = TypeVar("ResultT")
_decode_retrieve = msgspec.json.Decoder(RetrieveRequest)
_decode_scroll = msgspec.json.Decoder(ScrollRequest)
_decode_count = msgspec.json.Decoder(CountRequest)
_decode_query = msgspec.json.Decoder(QueryRequest)
_decode_queries = msgspec.json.Decoder(QueryBatchRequest)
_decode_search = msgspec.json.Decoder(SearchRequest)
_decode_searches = msgspec.json.Decoder(SearchBatchRequest)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One request's picture of a collection: what it was when the request came, to its end."""

    config: CollectionConfig
    views: Sequence[ShardView]
    deadline: Deadline


class PointReadRoutes:
    """The read routes of points."""

    def __init__(self, catalog: Catalog, readers: Readers, freshness: Freshness, limits: Limits) -> None:
        self._catalog = catalog
        self._readers = readers
        self._freshness = freshness
        self._limits = limits
        self._threads = ReadThreads()

    def endpoints(self) -> list[Endpoint]:
        """Retrieve, scroll, count, query, search."""
        points, found = list[PointResult], list[ScoredPointResult]
        return [
            _endpoint("/query", self._query, "Query points", QueryRequest, QueryResult),
            _endpoint("/query/batch", self._queries, "Query points in batch", QueryBatchRequest, list[QueryResult]),
            _endpoint("/search", self._search, "Search points", SearchRequest, found),
            _endpoint("/search/batch", self._searches, "Search points in batch", SearchBatchRequest, list[found]),
            _endpoint("/scroll", self._scroll, "Scroll points", ScrollRequest, ScrollResult),
            _endpoint("/count", self._count, "Count points", CountRequest, CountResult),
            _endpoint("", self._retrieve, "Get points", RetrieveRequest, points),
            Endpoint("GET", f"{_ROOT}/{{id}}", self._get, "Get point", TAG, result=PointResult, reads=True),
        ]

    async def _read(self, call: Call) -> _Reading:
        deadline = await self._freshness.reach(call)
        entry = self._catalog.resolve(call.collection)
        return _Reading(entry.config, self._readers.views(entry), deadline)

    async def _run(self, reading: _Reading, function: Callable[[], ResultT], long: bool) -> ResultT:
        return await self._threads.run(function, reading.deadline) if long else function()

    async def _get(self, call: Call) -> Reply:
        reading = await self._read(call)
        text = call.path["id"]
        point_id = to_id(int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else text, "id")
        found = retrieve(reading.views, [point_id], to_selection(reading.config, True, True, True))
        if not found:
            raise NotFoundError(f"Not found: Point with id {text} does not exists!")
        return Reply(render_points(found)[0])

    async def _retrieve(self, call: Call) -> Reply:
        reading = await self._read(call)
        request = decode_body(_decode_retrieve, call.body)
        if len(request.ids) > self._limits.max_ids:
            raise UnprocessableError(
                f"Validation error in JSON body: [ids: at most {self._limits.max_ids}, not {len(request.ids)}]"
            )
        ids = to_ids(request.ids)
        self._check_vectors(reading, len(ids), request.with_vector)
        selection = to_selection(reading.config, request.with_payload, request.with_vector, True)
        return Reply(
            await self._run(
                reading, lambda: render_points(retrieve(reading.views, ids, selection)), len(ids) > LARGE_ANSWER
            )
        )

    async def _scroll(self, call: Call) -> Reply:
        reading = await self._read(call)
        request = decode_body(_decode_scroll, call.body)
        limit = request.limit or DEFAULT_LIMIT
        self._limits.check_results(limit, 0)
        self._check_vectors(reading, limit, request.with_vector)
        start = None if request.offset is None else to_id(request.offset, "offset")
        condition = to_filter(request.filter)
        selection = to_selection(reading.config, request.with_payload, request.with_vector, True)

        def read() -> ScrollResult:
            points, following = scroll(reading.views, filter=condition, limit=limit, offset=start, selection=selection)
            return ScrollResult(render_points(points), None if following is None else render_point_id(following))

        return Reply(await self._run(reading, read, _is_long(reading.views, condition, limit)))

    async def _count(self, call: Call) -> Reply:
        reading = await self._read(call)
        condition = to_filter(decode_body(_decode_count, call.body).filter)
        long = _is_long(reading.views, condition, 0)
        return Reply(CountResult(await self._run(reading, lambda: count(reading.views, condition), long)))

    async def _query(self, call: Call) -> Reply:
        reading = await self._read(call)
        return Reply(QueryResult(await self._answer(reading, decode_body(_decode_query, call.body))))

    async def _queries(self, call: Call) -> Reply:
        reading = await self._read(call)
        answers = await self._answer_all(reading, decode_body(_decode_queries, call.body).searches)
        return Reply([QueryResult(points) for points in answers])

    async def _search(self, call: Call) -> Reply:
        reading = await self._read(call)
        return Reply(await self._answer(reading, decode_body(_decode_search, call.body).query()))

    async def _searches(self, call: Call) -> Reply:
        reading = await self._read(call)
        searches = decode_body(_decode_searches, call.body).searches
        return Reply(await self._answer_all(reading, [search.query() for search in searches]))

    async def _answer_all(self, reading: _Reading, requests: Sequence[QueryRequest]) -> list[list[ScoredPointResult]]:
        if len(requests) > self._limits.max_queries:
            raise UnprocessableError(
                f"Validation error in JSON body: [searches: at most {self._limits.max_queries}, not {len(requests)}]"
            )
        self._limits.check_batch_results(sum((r.limit or DEFAULT_LIMIT) + (r.offset or 0) for r in requests))
        config, views = reading.config, reading.views
        self._limits.check_vector_values(
            sum(vector_values(config, views, r.limit or DEFAULT_LIMIT, r.with_vector) for r in requests)
        )
        answers: list[list[ScoredPointResult]] = []
        for number, request in enumerate(requests, start=1):
            answers.append(await self._answer(reading, request))
            if number % QUERIES_IN_A_ROW == 0:
                await asyncio.sleep(0)
        return answers

    async def _answer(self, reading: _Reading, request: QueryRequest) -> list[ScoredPointResult]:
        views = reading.views
        query = to_nearest(reading.config, views, request, self._limits)
        selection = to_selection(reading.config, request.with_payload, request.with_vector, False)
        self._check_vectors(reading, request.limit or DEFAULT_LIMIT, request.with_vector)
        if query is None:
            return await self._in_id_order(reading, request)
        long = query.wanted >= LARGE_ANSWER or is_costly(views, query)
        return await self._run(reading, lambda: render_scored(search(views, query, selection)), long)

    def _check_vectors(self, reading: _Reading, points: int, asked: WithVector | None) -> None:
        self._limits.check_vector_values(vector_values(reading.config, reading.views, points, asked))

    async def _in_id_order(self, reading: _Reading, request: QueryRequest) -> list[ScoredPointResult]:
        limit, offset = request.limit or DEFAULT_LIMIT, request.offset or 0
        condition = to_filter(request.filter)
        selection = to_selection(reading.config, request.with_payload, request.with_vector, False)

        def read() -> list[ScoredPointResult]:
            points, _ = scroll(reading.views, filter=condition, limit=limit + offset, offset=None, selection=selection)
            return render_scored(points[offset:])

        return await self._run(reading, read, _is_long(reading.views, condition, limit + offset))


def _is_long(views: Sequence[ShardView], condition: Filter | None, points: int) -> bool:
    return points >= LARGE_ANSWER or (condition is not None and is_costly_filter(views, condition))


def _endpoint(path: str, handler: Handler, summary: str, body: type, result: object) -> Endpoint:
    return Endpoint("POST", _ROOT + path, handler, summary, TAG, result=result, body=body, reads=True)
