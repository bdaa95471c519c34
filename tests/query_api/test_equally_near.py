"""Points that are all as near as the last that is wanted: the first by id are answered, and others wait for no more."""

import numpy as np
import pytest

from ingest.deadline import Deadline
from query_api.budget import INLINE_US, Allowance, OverEstimateError
from query_api.find import nearest
from query_api.find.nearest import NearestSearch
from query_api.hits import Hit
from query_api.plan.selection import Selection
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId
from tests.query_api.engine import NearestQuery, search
from tests.query_api.shard_model import ShardModel, scored

POINTS = 3000
WANTED = 5
QUERIES = [
    NearestQuery(np.ones(1, np.float32), "", WANTED, score_threshold=threshold, excluded=excluded, exact=True)
    for threshold in (None, -0.5, 0.5)
    for excluded in (None, PointId(1))
]


def model(*, sealed: int, tail: int) -> ShardModel:
    """Points that are at 0, but for one in seven at 1; every third is dead."""
    points = ShardModel(CollectionConfig(vectors={"": VectorParams(1, Distance.DOT)}))
    order = np.random.default_rng(1).permutation(sealed + tail).tolist()
    for number, point in enumerate(order):
        if number == sealed:
            points.publish()
            points.seal(merge=False, graph=False)
        points.upsert(PointId(point), {"": [float(point % 700 == 0)]}, {})
    for point in range(0, sealed + tail, 3):
        points.delete(PointId(point))
    points.publish()
    if not tail:
        points.seal(merge=False, graph=False)
    return points


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize(("sealed", "tail"), [(POINTS, 0), (0, POINTS), (POINTS, 200)])
def test_the_first_by_id_are_answered(sealed: int, tail: int, query: NearestQuery) -> None:
    points = model(sealed=sealed, tail=tail)
    assert scored(search(points.views, query, Selection(with_payload=False))) == points.nearest(query)


@pytest.mark.parametrize("distance", [Distance.DOT, Distance.EUCLID])
@pytest.mark.parametrize("seed", range(4))
def test_of_many_parts_the_nearest_are_answered_however_their_points_die(seed: int, distance: Distance) -> None:
    """Values are of few levels, so that many points are as near as the last that is wanted, in any of the parts."""
    points = ShardModel(CollectionConfig(vectors={"": VectorParams(1, distance)}))
    random = np.random.default_rng(seed)
    for _ in range(20):
        for point in random.integers(0, 400, 30).tolist():
            points.upsert(PointId(point), {"": [float(random.integers(0, 2 + 3 * seed))]}, {})
        for point in random.integers(0, 400, 10).tolist():
            points.delete(PointId(point))
        points.publish()
        points.seal(merge=False, graph=False)
        for wanted in (1, WANTED, 20):
            for threshold in (None, 1.0, 2.5):
                query = NearestQuery(np.ones(1, np.float32), "", wanted, score_threshold=threshold, exact=True)
                assert scored(search(points.views, query, Selection(with_payload=False))) == points.nearest(query)


def test_of_a_segment_only_these_become_hits(monkeypatch: pytest.MonkeyPatch) -> None:
    (view,) = model(sealed=POINTS, tail=1).views
    made = 0

    def counted(*of: object) -> Hit:
        nonlocal made
        made += 1
        return Hit(*of)  # type: ignore[arg-type]

    monkeypatch.setattr(nearest, "Hit", counted)
    NearestSearch(view, QUERIES[0].leaf).run(Allowance(INLINE_US, Deadline(np.inf)))
    assert made <= 3 * WANTED


def test_of_a_tail_all_do_but_not_on_the_loop() -> None:
    (view,) = model(sealed=0, tail=POINTS).views
    searching = NearestSearch(view, QUERIES[0].leaf)
    assert searching.us() < INLINE_US
    with pytest.raises(OverEstimateError):
        searching.run(Allowance(INLINE_US, Deadline(np.inf)))
