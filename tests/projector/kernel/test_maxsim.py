"""max_sim of multivectors beside numpy: every measure, datatype and set of instructions; and damaged ends."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.kernel import DamagedEndsError, levels, max_sim_nearest, max_sim_scores
from projector.vectors.ragged import Ends, ends_after
from schemas.vectors.normalise import normalise
from tests.projector.kernel.test_scan import DATATYPES, MEASURES, best, expected, matrix, vector

ROWS = 60


def made(dim: int, datatype: Any, measure: str, seed: int) -> tuple[NDArray[Any], Ends]:
    ends = ends_after(np.random.default_rng(seed).integers(1, 8, ROWS))
    return matrix(int(ends[-1]), dim, datatype, measure, seed), ends


def max_sim(vectors: NDArray[Any], ends: Ends, measure: str, queries: NDArray[np.float32]) -> NDArray[np.float64]:
    total = np.zeros(len(ends) - 1)
    for query in queries:
        alike = expected(vectors, measure, query)
        if measure in ("cosine", "dot"):
            total += np.maximum.reduceat(alike, ends[:-1])
        else:
            total += np.minimum.reduceat(alike**2 if measure == "euclid" else alike, ends[:-1])
    return np.sqrt(total) if measure == "euclid" else total


@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("measure", MEASURES)
@given(
    dim=st.integers(1, 70),
    count=st.sampled_from([1, 2, 7, 8, 9, 16, 17, 33, 50]),
    seed=st.integers(0, 999),
    wanted=st.integers(0, ROWS + 2),
    share=st.none() | st.floats(0, 1),
)
@settings(max_examples=25, deadline=None)
def test_max_sim(
    datatype: Any, measure: str, dim: int, count: int, seed: int, wanted: int, share: float | None
) -> None:
    vectors, ends = made(dim, datatype, measure, seed)
    queries = np.stack([vector(dim, measure, seed + at) for at in range(count)])
    every = max_sim_scores(vectors, ends, measure, queries)
    np.testing.assert_allclose(every, max_sim(vectors, ends, measure, queries), rtol=1e-6, atol=1e-6 * count)
    mask = np.ones(ROWS, np.bool_) if share is None else np.random.default_rng(seed).random(ROWS) < share
    among = np.flatnonzero(mask)
    for level in levels():
        assert max_sim_scores(vectors, ends, measure, queries, among, level).tolist() == every[among].tolist()
        for chosen in (among, mask, *([None] if share is None else [])):
            found, their = max_sim_nearest(vectors, ends, measure, queries, wanted, chosen, level)
            assert found.tolist() == best(every, measure, wanted, among)
            assert their.tolist() == every[found].tolist()


@pytest.mark.parametrize("measure", ["euclid", "dot"])
@pytest.mark.parametrize("magnitude", [1e-30, 1e15, 3e38])
def test_every_magnitude(measure: str, magnitude: float) -> None:
    vectors, ends = made(9, np.float32, measure, 1)
    vectors = (vectors / np.abs(vectors).max() * magnitude).astype(np.float32)
    queries = np.stack([vector(9, measure, at) for at in range(3)])
    every = max_sim_scores(vectors, ends, measure, queries)
    assert np.isfinite(every).all()
    assert max_sim_nearest(vectors, ends, measure, queries, 5)[0].tolist() == best(every, measure, 5, np.arange(ROWS))


@pytest.mark.parametrize(("at", "end"), [(0, -1), (3, 2**40), (5, 0), (ROWS, 10**6)])
def test_damaged_ends_are_noticed(at: int, end: int) -> None:
    vectors, ends = made(9, np.float32, "cosine", 1)
    queries = normalise(np.ones((2, 9), np.float32))
    ends[at] = end
    with pytest.raises(DamagedEndsError):
        max_sim_scores(vectors, ends, "cosine", queries)
    with pytest.raises(DamagedEndsError):
        max_sim_nearest(vectors, ends, "cosine", queries, 5)
