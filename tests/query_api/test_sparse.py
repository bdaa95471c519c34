"""Sparse vectors that are nearest: by brute force, whether postings are gone through or pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import query_api.vectors.sparse as sparse
from projector.frames import ShardId
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from query_api.plan.leaves import Corpus, Nearest
from query_api.plan.selection import NOTHING
from schemas.config import CollectionConfig
from schemas.filters import Filter, HasId
from schemas.ids import PointId
from schemas.points import encode_point
from schemas.vectors.params import SparseVectorParams
from schemas.vectors.sparse import PAIR
from tests.query_api.engine import found

CONFIG = CollectionConfig(vectors={}, sparse_vectors={"s": SparseVectorParams()})
ROWS, TERMS = 240, 8
SOME = Filter(must_not=(HasId(frozenset(PointId(i) for i in range(0, ROWS, 3))),))


def pairs(values: dict[int, float]) -> bytes:
    made = np.empty(len(values), PAIR)
    made["index"] = sorted(values)
    made["value"] = [values[index] for index in sorted(values)]
    return made.tobytes()


def view_of(seed: int) -> tuple[ShardView, dict[int, dict[int, float]]]:
    """Fewer rows than fill two blocks, most of which have the first terms; some values are negative."""
    random = np.random.default_rng(seed)
    shares = [1.0, 0.9, 0.8, 0.7, 0.1, 0.1, 0.05, 0.05]
    rows: dict[int, dict[int, float]] = {}
    for number in range(ROWS):
        terms = np.flatnonzero(random.random(TERMS) < shares).tolist()
        rows[number] = {term: float(np.float32(random.normal(0.6, 1.0))) for term in terms}
    live = LiveShard(ShardId(1, 0), CONFIG, [], 0)
    points = [encode_point(1, [(0, pairs(values))], b"") for values in rows.values()]
    live.apply([PointId(number) for number in rows], points, 1)
    return live.publish(1), rows


@settings(max_examples=25)
@given(
    seed=st.integers(0, 1000),
    query=st.dictionaries(st.integers(0, TERMS), st.floats(-2, 3, width=32).filter(bool), min_size=1, max_size=6),
    limit=st.integers(1, 12),
    filtered=st.booleans(),
)
def test_brute_force(seed: int, query: dict[int, float], limit: int, filtered: bool) -> None:
    view, rows = view_of(seed)
    condition = SOME if filtered else None
    expected = sorted(
        (-float(np.float32(sum(query[t] * values[t] for t in sorted(query.keys() & values.keys())))), number)
        for number, values in rows.items()
        if query.keys() & values.keys() and not (filtered and number % 3 == 0)
    )[:limit]
    leaf = Nearest(limit=limit, filter=condition, vector=pairs(query), using="s")
    with pytest.MonkeyPatch.context() as patch:
        for per_row in (0, 10**9):
            patch.setattr(sparse, "_POSTINGS_PER_ROW", per_row)
            hits = found([view], leaf, NOTHING)
            assert [(-hit.score, hit.id) for hit in hits] == expected


def test_there_is_nothing_to_weigh_by_without_shards() -> None:
    leaf = Nearest(limit=3, vector=pairs({1: 1.0}), using="s", idf=Corpus())
    assert found([], leaf, NOTHING) == []
