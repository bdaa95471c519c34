"""Routes of distance matrices."""

import secrets
from collections.abc import Callable, Sequence

import msgspec

from ingest.http.endpoint import Call, Endpoint, Reply
from query_api.combine.matrix import Row, matrix
from query_api.plan.fields import check_name, to_filter
from query_api.plan.filters import both
from query_api.plan.leaves import Sample
from query_api.reading import Reader
from query_api.strict import check_page
from schemas.config import UNNAMED
from schemas.filters import Filter, HasVector
from schemas.ids import render_point_id
from schemas.rest.decode import decode_body
from schemas.rest.matrix import (
    DEFAULT_NEAREST,
    DEFAULT_SAMPLE,
    MatrixOffsets,
    MatrixPair,
    MatrixPairs,
    MatrixRequest,
)

TAG = "Points"
_ROOT = "/collections/{collection_name}/points/search/matrix"
_PAIR_US = 1.5
_PAIR_BYTES = 32
_decode = msgspec.json.Decoder(MatrixRequest)


class MatrixRoutes:
    """The routes of distance matrices."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def endpoints(self) -> list[Endpoint]:
        """Pairs and offsets."""
        return [
            self._endpoint("/pairs", "Search points matrix distance pairs", _pairs, MatrixPairs),
            self._endpoint("/offsets", "Search points matrix distance offsets", _offsets, MatrixOffsets),
        ]

    def _endpoint(
        self, path: str, summary: str, render: Callable[[Sequence[Row]], MatrixPairs | MatrixOffsets], result: object
    ) -> Endpoint:
        async def handle(call: Call) -> Reply:
            reading = await self._reader.begin(call)
            request = decode_body(_decode, call.body)
            reading = self._reader.narrowed(reading, call, request.shard_key)
            sample, limit = request.sample or DEFAULT_SAMPLE, request.limit or DEFAULT_NEAREST
            check_page(reading.config, sample * limit, request.filter)
            limits = self._reader.limits
            limits.check_results(sample, 0, "sample")
            limits.check_batch_results(min(sample, reading.shards.points) * min(limit, sample))
            using = request.using or UNNAMED
            check_name(reading.config, using)
            condition = both(to_filter(request.filter), Filter(must=(HasVector(using),)))
            leaf = Sample(limit=sample, filter=condition, seed=secrets.randbits(63))
            rows = await matrix(reading.shards, leaf, using, limit)
            pairs = sum(len(row.nearest) for row in rows)
            result = await reading.shards.compute(lambda: render(rows), pairs * _PAIR_US)
            return Reply(result, size=pairs * _PAIR_BYTES)

        return Endpoint("POST", _ROOT + path, handle, summary, TAG, result=result, body=MatrixRequest, reads=True)


def _pairs(rows: Sequence[Row]) -> MatrixPairs:
    return MatrixPairs(
        [MatrixPair(render_point_id(row.id), render_point_id(hit.id), hit.score) for row in rows for hit in row.nearest]
    )


def _offsets(rows: Sequence[Row]) -> MatrixOffsets:
    places = {row.id: place for place, row in enumerate(rows)}
    found = [(places[row.id], places[hit.id], hit.score) for row in rows for hit in row.nearest]
    return MatrixOffsets(
        [row for row, _, _ in found],
        [column for _, column, _ in found],
        [score for _, _, score in found],
        [render_point_id(row.id) for row in rows],
    )
