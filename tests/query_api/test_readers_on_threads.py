"""Readers on other threads, while the shard goes on changing."""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from projector.view.shard_view import ShardView
from query_api.plan.selection import Selection
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.filters import parse_filter
from schemas.ids import PointId
from tests.query_api.engine import NearestQuery, count, scroll, search
from tests.query_api.shard_model import ShardModel

POINTS = 60
ROUNDS = 60
FILTER = parse_filter({"must": [{"key": "n", "range": {"gte": 0}}]})


def read(views: list[ShardView]) -> set[int]:
    """Every way to read gives one and the same round."""
    query = NearestQuery(np.array([1, 0], np.float32), "", POINTS)
    found = search(views, query, Selection())
    page, following = scroll(views, filter=FILTER, limit=POINTS, offset=None, selection=Selection())
    assert following is None
    assert [p.id for p in page] == list(range(POINTS))
    assert count(views, None) == count(views, FILTER) == len(found) == POINTS
    payloads = {p.payload for p in page} | {p.payload for p in found}
    assert len(payloads) == 1
    assert len({p.score for p in found}) == 1
    assert found[0].payload == b'{"n":%d}' % int(found[0].score or 0)
    return {int(found[0].score or 0)}


def test_a_view_is_whole_and_stays_as_it_is() -> None:
    model = ShardModel(CollectionConfig(vectors={"": VectorParams(2, Distance.DOT)}))
    with ThreadPoolExecutor(4) as threads:
        readings: list[tuple[int, Future[set[int]]]] = []
        for number in range(ROUNDS):
            for i in range(POINTS):
                model.upsert(PointId(i), {"": [float(number), 1.0]}, {"n": number})
            model.publish()
            if number % 7 == 0:
                model.seal(merge=number % 2 == 0, graph=number % 3 == 0)
            readings += [(number, threads.submit(read, model.views)) for _ in range(2)]
        for number, reading in readings:
            assert reading.result() == {number}
