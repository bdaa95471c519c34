"""Fusion and diversity by their definitions."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from query_api.combine.alike import Alike
from query_api.combine.fusion import by_ranks, by_scores
from query_api.combine.mmr import diversified
from query_api.hits import Hit
from query_api.plan.tree import RankFusion, ScoreFusion
from schemas.ids import PointId
from schemas.vectors.dense import DTYPES, DenseKind
from schemas.vectors.normalise import normalise
from schemas.vectors.params import Datatype, Distance, VectorParams

rankings = st.lists(st.lists(st.integers(0, 12), unique=True, max_size=8), min_size=1, max_size=4)


def ranked(ids: list[int]) -> list[Hit]:
    """Hits in this order, their scores falling."""
    return [Hit(float(rank), PointId(i), 10.0 - rank * rank) for rank, i in enumerate(ids)]


@given(lists=rankings, k=st.integers(1, 60), data=st.data())
def test_reciprocal_ranks(lists: list[list[int]], k: int, data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=len(lists), max_size=len(lists)))
    fused = by_ranks(RankFusion(inputs=(), limit=99, k=k, weights=tuple(weights)), list(map(ranked, lists)))
    expected: dict[int, float] = {}
    for ids, weight in zip(lists, weights, strict=True):
        for rank, i in enumerate(ids):
            expected[i] = expected.get(i, 0.0) + 1 / ((rank + 1) / weight + k - 1)
    assert [hit.id for hit in fused] == sorted(expected, key=lambda i: (-expected[i], i))
    assert {hit.id: hit.score for hit in fused} == pytest.approx(expected)


@given(lists=rankings)
def test_scores_are_brought_to_one_scale(lists: list[list[int]]) -> None:
    fused = by_scores(ScoreFusion(inputs=(), limit=99), list(map(ranked, lists)))
    expected: dict[int, float] = {}
    for hits in map(ranked, lists):
        values = np.array([hit.score for hit in hits])
        spread = values.std(ddof=1) if len(values) > 1 else 0.0
        for hit in hits:
            scaled = 0.5 if spread == 0 else (hit.score - values.mean() + 3 * spread) / (6 * spread)
            expected[hit.id] = expected.get(hit.id, 0.0) + scaled
    assert {hit.id: hit.score for hit in fused} == pytest.approx(expected)


def test_the_second_of_two_alike_gives_way() -> None:
    rows = np.array([[1.0, 0.0], [0.99, 0.01], [0.5, 0.5]])
    hits = [Hit(-float(row[0]), PointId(at), float(row[0])) for at, row in enumerate(rows)]
    alike = Alike(VectorParams(2, Distance.DOT), list(rows.astype(np.float32)))
    assert [hit.id for hit in diversified(hits, alike, 0.0, 3)] == [0, 1, 2]
    assert [hit.id for hit in diversified(hits, alike, 0.7, 3)] == [0, 2, 1]


@pytest.mark.parametrize("datatype", Datatype)
@pytest.mark.parametrize("distance", Distance)
def test_likeness_by_its_definition(distance: Distance, datatype: Datatype) -> None:
    random = np.random.default_rng(4)
    lengths = [1, 3, 2, 4]
    rows = np.abs(random.normal(size=(sum(lengths), 7))) * 20
    stored = DenseKind(VectorParams(7, distance, datatype=datatype)).stored(normalised(distance, rows))
    matrix = np.frombuffer(stored, DTYPES[datatype]).reshape(-1, 7)
    wide = normalised(distance, matrix).astype(np.float64) if datatype is Datatype.UINT8 else matrix.astype(np.float64)
    ends = np.cumsum([0, *lengths])
    params = VectorParams(7, distance, datatype=datatype)
    alike, several = Alike(params, list(matrix)), Alike(params, np.split(matrix, ends[1:-1]))
    table = near(distance, wide)
    for row in range(len(wide)):
        assert alike.to(row) == pytest.approx(table[row], rel=1e-5, abs=1e-5)
    for row in range(len(lengths)):
        best = table[ends[row] : ends[row + 1]].max(axis=0)
        assert several.to(row) == pytest.approx(np.add.reduceat(best, ends[:-1]), rel=1e-5, abs=1e-5)


def normalised(distance: Distance, rows: NDArray[Any]) -> NDArray[np.float32]:
    single = rows.astype(np.float32)
    return normalise(single) if distance is Distance.COSINE else single


def near(distance: Distance, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """How near each row is to each."""
    if distance.higher_is_nearer:
        return rows @ rows.T
    difference = rows[:, np.newaxis] - rows
    return -(difference**2 if distance is Distance.EUCLID else np.abs(difference)).sum(axis=2)
