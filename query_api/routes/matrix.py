"""Routes of distance matrices."""

import secrets
from collections.abc import Callable

import msgspec

from ingest.http.endpoint import Call, Endpoint, Reply
from query_api.budget import POINT_BYTES
from query_api.combine.matrix import Matrix, matrix
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
        self, path: str, summary: str, render: Callable[[Matrix], MatrixPairs | MatrixOffsets], result: object
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
            pairs = len(rows.nearest)
            result = await reading.shards.compute(lambda: render(rows), pairs * _PAIR_US)
            return Reply(result, size=pairs * POINT_BYTES)

        return Endpoint("POST", _ROOT + path, handle, summary, TAG, result=result, body=MatrixRequest, reads=True)


def _pairs(rows: Matrix) -> MatrixPairs:
    """Empties ``rows``: what takes long to free is freed where it is read, not on the event loop."""
    hits = rows.nearest
    hits.reverse()
    pairs: list[MatrixPair] = []
    for id_, count in zip(rows.ids, rows.counts, strict=True):
        of = render_point_id(id_)
        for _ in range(count):
            hit = hits.pop()
            pairs.append(MatrixPair(of, render_point_id(hit.id), hit.score))
    return MatrixPairs(pairs)


def _offsets(rows: Matrix) -> MatrixOffsets:
    """As ``_pairs``."""
    places = {id_: place for place, id_ in enumerate(rows.ids)}
    found = MatrixOffsets([], [], [], [render_point_id(id_) for id_ in rows.ids])
    for place, count in enumerate(rows.counts):
        found.offsets_row += [place] * count
    hits = rows.nearest
    hits.reverse()
    while hits:
        hit = hits.pop()
        found.offsets_col.append(places[hit.id])
        found.scores.append(hit.score)
    return found
