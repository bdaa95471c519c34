"""Which way a part is searched, and how far."""

import numpy as np
import pytest

from query_api.find.selection import Findable
from query_api.find.strategy import (
    BUDGET,
    CODED_IN_ORDER,
    CODED_PICKED,
    WIDENING,
    base_ef,
    coded_budget,
    compared_rows,
    walk_for,
)
from schemas.config import CollectionConfig, Distance, HnswConfig, HnswConfigDiff, VectorParams
from schemas.filters import parse_filter
from schemas.ids import PointId
from tests.query_api.engine import NearestQuery
from tests.query_api.shard_model import ShardModel

POINTS = 2000
DIM = 1


def findable(passing: int) -> Findable:
    """So many of 2,000 rows."""
    model = ShardModel(CollectionConfig(vectors={"": VectorParams(DIM, Distance.DOT)}))
    for i in range(POINTS):
        model.upsert(PointId(i), {"": [1.0]}, {})
    model.publish()
    model.seal(merge=True, graph=False)
    part = model.views[0].segments[0]
    vectors = part.vectors("")
    assert vectors is not None
    found = Findable(part, vectors, parse_filter({"must": [{"has_id": list(range(passing))}]}))
    assert (found.count, found.rows) == (passing, POINTS)
    return found


def test_the_fewer_pass_the_more_is_compared_until_exact_search_is_quicker() -> None:
    everything, half = walk_for(findable(POINTS), 6, DIM), walk_for(findable(int(POINTS * 0.9)), 6, DIM)
    assert everything is not None
    assert half is not None
    assert everything.ef == half.ef == 6
    assert everything.us < half.us
    assert (everything.budget, half.budget) == (POINTS * BUDGET, POINTS * 0.9 * BUDGET)
    assert walk_for(findable(POINTS // 8), 10, DIM) is None
    assert walk_for(findable(POINTS), POINTS // 4, DIM) is None
    assert walk_for(findable(0), 1, DIM) is None


def test_a_walk_by_codes_is_cut_short_the_sooner_the_less_a_row_costs_the_scan() -> None:
    few, half, many = (coded_budget(findable(count)) for count in (POINTS // 5, POINTS // 2, POINTS))
    assert few == CODED_PICKED
    assert half == pytest.approx(2 * many)
    assert many == CODED_IN_ORDER
    assert coded_budget(findable(0)) == CODED_PICKED


@pytest.mark.parametrize(
    ("rows", "ef", "compared"),
    [
        (5000, 64, 843),
        (5000, 128, 1331),
        (15_000, 128, 1482),
        (40_000, 64, 923),
        (40_000, 256, 2514),
        (200_000, 256, 4096),
    ],
)
def test_what_a_walk_compares_is_about_what_was_measured(rows: int, ef: int, compared: int) -> None:
    assert compared_rows(ef, rows) == pytest.approx(compared, rel=0.2)


def test_where_points_are_dead_the_graph_is_searched_farther() -> None:
    found = findable(POINTS)
    found.filtered, found.count = False, POINTS // 2
    walk = walk_for(found, 10, DIM)
    assert walk is not None
    assert (walk.ef, walk.budget) == (int(10 * 2**WIDENING), None)


@pytest.mark.parametrize(
    ("own", "asked", "limit", "expected"),
    [
        (None, None, 10, 70),
        (HnswConfigDiff(m=8), None, 10, 70),
        (HnswConfigDiff(ef_construct=90), None, 10, 90),
        (None, 20, 10, 20),
        (None, 20, 40, 45),
        (None, None, 500, 505),
    ],
)
def test_ef(own: HnswConfigDiff | None, asked: int | None, limit: int, expected: int) -> None:
    params = VectorParams(2, Distance.DOT, hnsw_config=own)
    config = CollectionConfig(vectors={"": params}, hnsw=HnswConfig(ef_construct=70))
    query = NearestQuery(np.zeros(2, np.float32), "", limit, offset=5, hnsw_ef=asked)
    assert base_ef(config, query.leaf) == expected
