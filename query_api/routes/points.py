"""Routes that read points: retrieve, scroll, count."""

import msgspec

from ingest.http.endpoint import Call, Endpoint, Handler, Reply
from query_api.answering import Answering
from query_api.plan.fields import ID_US, to_filter, to_id, to_ids, to_selection
from query_api.plan.leaves import Scroll
from query_api.plan.order import to_ordered
from query_api.plan.selection import Selection
from query_api.reading import Reader, Reading
from query_api.rendering import AS_JSON
from query_api.strict import check_page
from schemas.errors import BadInputError, NotFoundError, UnprocessableError
from schemas.ids import parse_point_id, render_point_id
from schemas.rest.decode import decode_body
from schemas.rest.reads import (
    DEFAULT_LIMIT,
    CountRequest,
    OrderBy,
    RetrieveRequest,
    ScrollRequest,
)
from schemas.rest.responses import CountResult, PointResult, ScrollResult

TAG = "Points"
_ROOT = "/collections/{collection_name}/points"

_decode_retrieve = msgspec.json.Decoder(RetrieveRequest)
_decode_scroll = msgspec.json.Decoder(ScrollRequest)
_decode_count = msgspec.json.Decoder(CountRequest)


class PointReadRoutes:
    """The read routes of points."""

    def __init__(self, reader: Reader, answering: Answering) -> None:
        self._reader = reader
        self._answering = answering
        self._limits = reader.limits

    def endpoints(self) -> list[Endpoint]:
        """Retrieve, scroll, count."""
        points = list[PointResult]
        return [
            _endpoint("/scroll", self._scroll, "Scroll points", ScrollRequest, ScrollResult),
            _endpoint("/count", self._count, "Count points", CountRequest, CountResult),
            _endpoint("", self._retrieve, "Get points", RetrieveRequest, points),
            Endpoint("GET", f"{_ROOT}/{{id}}", self._get, "Get point", TAG, result=PointResult, reads=True),
        ]

    async def _get(self, call: Call) -> Reply:
        reading = await self._reader.begin(call)
        text = call.path["id"]
        digits = text.removeprefix("+")
        number = digits.isascii() and digits.isdigit() and len(digits) <= 20
        try:
            point_id = parse_point_id(int(digits) if number else text)
        except BadInputError as error:
            raise BadInputError(f'Wrong input: Can not recognize "{text}" as point id') from error
        found = await reading.shards.get([point_id], to_selection(reading.config, True, True, True))
        if not found:
            raise NotFoundError(f"Not found: Point with id {text} does not exists!")
        points = list(found.values())
        (rendered,) = await reading.budget.run(lambda _: AS_JSON.points(points), AS_JSON.us(points))
        return Reply(rendered, size=reading.budget.size)

    async def _retrieve(self, call: Call) -> Reply:
        reading = await self._reader.begin(call)
        request = decode_body(_decode_retrieve, call.body)
        reading = self._reader.narrowed(reading, call, request.shard_key)
        if len(request.ids) > self._limits.max_ids:
            raise UnprocessableError(
                f"Validation error in JSON body: [ids: at most {self._limits.max_ids}, not {len(request.ids)}]"
            )
        ids = await reading.budget.run(lambda _: to_ids(request.ids), len(request.ids) * ID_US)
        self._answering.check_vectors(reading, len(ids), request.with_vector)
        selection = to_selection(reading.config, request.with_payload, request.with_vector, False)
        found = await reading.shards.get(ids, selection)
        points = [found[point_id] for point_id in dict.fromkeys(ids) if point_id in found]
        rendered = await reading.budget.run(lambda _: reading.rendering.points(points), reading.rendering.us(points))
        return Reply(rendered, size=reading.budget.size)

    async def _scroll(self, call: Call) -> Reply:
        reading = await self._reader.begin(call)
        request = decode_body(_decode_scroll, call.body)
        reading = self._reader.narrowed(reading, call, request.shard_key)
        check_page(reading.config, request.limit, request.filter)
        limit = request.limit or DEFAULT_LIMIT
        self._limits.check_results(limit, 0)
        self._answering.check_vectors(reading, limit, request.with_vector)
        selection = to_selection(reading.config, request.with_payload, request.with_vector, True)
        if request.order_by is not None:
            page = await self._ordered(reading, request, request.order_by, selection, limit)
            return Reply(page, size=reading.budget.size)
        start = None if request.offset is None else to_id(request.offset, "offset")
        hits = await reading.shards.find(Scroll(limit=limit + 1, filter=to_filter(request.filter), start=start))
        points = await reading.shards.fetch(hits[:limit], selection)
        rendered = await reading.budget.run(lambda _: reading.rendering.points(points), reading.rendering.us(points))
        page = ScrollResult(rendered, render_point_id(hits[limit].id) if len(hits) > limit else None)
        return Reply(page, size=reading.budget.size)

    async def _ordered(
        self, reading: Reading, request: ScrollRequest, order: str | OrderBy, selection: Selection, limit: int
    ) -> ScrollResult:
        if request.offset is not None:
            raise BadInputError(
                "Wrong input: Cannot use an `offset` when using `order_by`. The alternative for paging is to use "
                "`order_by.start_from` and a filter to exclude the IDs that you've already seen for the "
                "`order_by.start_from` value"
            )
        leaf = to_ordered(reading.config, order, to_filter(request.filter), limit)
        hits = await reading.shards.find(leaf)
        points = await reading.shards.fetch(hits, selection)
        rendered = await reading.budget.run(
            lambda _: reading.rendering.ordered(hits, points), reading.rendering.us(points)
        )
        return ScrollResult(rendered, None)

    async def _count(self, call: Call) -> Reply:
        reading = await self._reader.begin(call)
        request = decode_body(_decode_count, call.body)
        reading = self._reader.narrowed(reading, call, request.shard_key)
        check_page(reading.config, None, request.filter, request.exact)
        condition = to_filter(request.filter)
        return Reply(CountResult(await reading.shards.count(condition)))


def _endpoint(path: str, handler: Handler, summary: str, body: type, result: object) -> Endpoint:
    return Endpoint("POST", _ROOT + path, handler, summary, TAG, result=result, body=body, reads=True)
