"""Scores against their definitions, at every magnitude."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from projector.frames import ShardId
from projector.view.live_shard import LiveShard
from query_api.plan.selection import Selection
from query_api.vectors.scoring import Scorer
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.errors import BadInputError
from schemas.ids import PointId
from schemas.points import encode_point
from schemas.vectors.normalise import normalise
from tests.query_api.engine import NearestQuery, search
from tests.query_api.shard_model import ShardModel, Vector, reference_score

DIM = 7
DISTANCES = list(Distance)
floats = st.floats(-1e4, 1e4, width=32)
matrices = arrays.arrays(np.float32, st.tuples(st.integers(1, 20), st.just(DIM)), elements=floats)
queries = arrays.arrays(np.float32, DIM, elements=floats)


@given(matrix=matrices, query=queries, distance=st.sampled_from(DISTANCES))
def test_scores_are_their_definition(matrix: Vector, query: Vector, distance: Distance) -> None:
    scorer = Scorer.of(distance, query)
    rows = normalise(matrix) if distance is Distance.COSINE else matrix
    expected = [reference_score(distance, query, row) for row in matrix]
    np.testing.assert_allclose(scorer.scores(rows), expected, rtol=2e-7, atol=1e-6)


@given(matrix=matrices, query=queries, distance=st.sampled_from(DISTANCES), at=st.integers(0, 19))
def test_equal_vectors_score_equal_wherever_they_are(
    matrix: Vector, query: Vector, distance: Distance, at: int
) -> None:
    scorer = Scorer.of(distance, query)
    row = matrix[at % len(matrix)]
    alone = scorer.scores(row[np.newaxis])[0]
    assert scorer.scores(matrix)[at % len(matrix)] == alone
    padded = np.concatenate([np.zeros((30_000, DIM), np.float32), row[np.newaxis]])
    assert scorer.scores(padded)[-1] == alone


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("magnitude", [1e-30, 1.0, 1e18, 3e38])
def test_every_magnitude_is_ranked(distance: Distance, magnitude: float) -> None:
    model = ShardModel(CollectionConfig(vectors={"": VectorParams(2, distance)}))
    for i in range(12):
        model.upsert(PointId(i), {"": [magnitude * (i - 6) / 6, -magnitude if i % 2 else magnitude]}, {})
    model.publish()
    query = NearestQuery(np.array([magnitude, magnitude], np.float32), "", 5)
    found = search(model.views, query, Selection())
    nearness = [reference_nearness(distance, query.vector, point.vectors[""]) for point in model.points.values()]
    best = sorted(nearness, reverse=True)[:5]
    again = [reference_nearness(distance, query.vector, model.points[p.id].vectors[""]) for p in found]
    np.testing.assert_allclose(again, best, rtol=1e-6)
    assert all(p.score is not None and np.isfinite(p.score) for p in found)


def reference_nearness(distance: Distance, query: Vector, vector: Vector) -> float:
    """What is beyond float32 scores its largest value: such points are all as near."""
    largest = float(np.finfo(np.float32).max)
    score = float(np.float32(np.clip(reference_score(distance, query, vector), -largest, largest)))
    return score if distance.higher_is_nearer else -score


@pytest.mark.parametrize("distance", DISTANCES)
def test_what_float32_cannot_tell_apart_the_exact_scores_do(distance: Distance) -> None:
    """The same numbers in another order: sums in float32 differ by rounding, the scores do not, so ids decide."""
    rng = np.random.default_rng(4)
    model = ShardModel(CollectionConfig(vectors={"": VectorParams(64, distance)}))
    numbers = rng.uniform(0.1, 10.0, 64)
    for i in range(300):
        model.upsert(PointId(i), {"": rng.permutation(numbers).tolist()}, {})
    model.publish()
    query = NearestQuery(np.full(64, 20, np.float32), "", 6)
    found = search(model.views, query, Selection())
    assert [p.id for p in found] == list(range(6))


def test_zero_vectors_are_as_near_to_everything_as_to_nothing() -> None:
    model = ShardModel(CollectionConfig(vectors={"": VectorParams(2, Distance.COSINE)}))
    for i, vector in enumerate(([1.0, 0.0], [0.0, 0.0], [-1.0, 0.0])):
        model.upsert(PointId(i), {"": vector}, {})
    model.publish()
    zero = search(model.views, NearestQuery(np.zeros(2, np.float32), "", 5), Selection())
    assert [(p.id, p.score) for p in zero] == [(0, 0.0), (1, 0.0), (2, 0.0)]
    one = search(model.views, NearestQuery(np.array([2, 0], np.float32), "", 5), Selection())
    assert [(p.id, p.score) for p in one] == [(0, 1.0), (1, 0.0), (2, -1.0)]


def test_a_threshold_leaves_out_scores_equal_to_it() -> None:
    live = LiveShard(ShardId(1, 0), CollectionConfig(vectors={"": VectorParams(1, Distance.DOT)}), [], 0)
    ids = [PointId(i) for i in range(4)]
    live.apply(ids, [encode_point(1, [(0, np.array([i], np.float32).tobytes())], b"") for i in ids], 1)
    query = NearestQuery(np.array([1], np.float32), "", 10, score_threshold=2.0)
    assert [p.id for p in search([live.publish(1)], query, Selection())] == [3]


def test_what_is_wrong_with_a_query() -> None:
    model = ShardModel(CollectionConfig(vectors={"a": VectorParams(2, Distance.DOT)}))
    with pytest.raises(BadInputError, match="Not existing vector name"):
        search(model.views, NearestQuery(np.zeros(2, np.float32), "b", 5), Selection())
    with pytest.raises(BadInputError, match="expected dim: 2, got 3"):
        search(model.views, NearestQuery(np.zeros(3, np.float32), "a", 5), Selection())
