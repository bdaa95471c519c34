"""Search codes of tails: whatever came when, what is found by them is what vectors say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.kernel import nearest
from projector.quantization.growing_codes import GrowingCodes
from projector.quantization.search_codes import LEAST_ROWS
from schemas.vectors.params import Distance

DIM = 40


def rows_of(count: int, seed: int, scale: float = 1.0) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).normal(size=(count, DIM)) * scale).astype(np.float32)


@settings(deadline=None, max_examples=40)
@given(
    steps=st.lists(st.integers(1, 900), min_size=1, max_size=6),
    distance=st.sampled_from([Distance.COSINE, Distance.DOT, Distance.EUCLID]),
    growth=st.sampled_from([1.0, 40.0]),
    seed=st.integers(0, 1 << 16),
)
def test_what_is_found_is_the_same(steps: list[int], distance: Distance, growth: float, seed: int) -> None:
    first = rows_of(LEAST_ROWS, seed)
    matrix = np.concatenate([first, *[rows_of(n, seed + i, growth) for i, n in enumerate(steps, 1)]])
    if distance is Distance.COSINE:
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    growing, queries = GrowingCodes(DIM, distance), rows_of(3, seed + 99)
    bounds = [LEAST_ROWS, *(LEAST_ROWS + np.cumsum(steps)).tolist()]
    # An older view may be searched after a newer one.
    for rows in [*bounds, bounds[0]]:
        codes = growing.of(matrix[:rows])
        assert codes is not None
        for query in queries:
            found = nearest(matrix[:rows], distance.lower(), query, 10, codes=codes)
            right = nearest(matrix[:rows], distance.lower(), query, 10)
            assert [part.tolist() for part in found] == [part.tolist() for part in right]


def test_many_rows_get_theirs_a_few_at_a_time() -> None:
    matrix, rows = rows_of(2500, 1), 2500
    growing, query = GrowingCodes(DIM, Distance.DOT), rows_of(1, 2)[0]
    for missing in (1500, 500):
        assert growing.of(matrix, 1000) is None
        assert growing.of(matrix, 0) is None
        assert growing.missing(rows) == missing
    codes = growing.of(matrix, 1000)
    assert codes is not None
    assert growing.missing(rows) == 0
    found, right = nearest(matrix, "dot", query, 10, codes=codes), nearest(matrix, "dot", query, 10)
    assert [part.tolist() for part in found] == [part.tolist() for part in right]


def test_few_rows_have_none() -> None:
    growing = GrowingCodes(DIM, Distance.DOT)
    assert growing.of(rows_of(LEAST_ROWS - 1, 1)) is None


@pytest.mark.parametrize("large", [1e16, float("inf"), float("nan")])
@pytest.mark.parametrize("place", [0, LEAST_ROWS + 3])
def test_what_is_too_large_has_none(large: float, place: int) -> None:
    matrix = rows_of(2 * LEAST_ROWS, 1)
    matrix[place, 3] = large
    growing = GrowingCodes(DIM, Distance.DOT)
    before = growing.of(matrix[:LEAST_ROWS])
    assert (before is None) == (place == 0)
    assert growing.of(matrix) is None


def test_codes_are_made_once() -> None:
    matrix = rows_of(3 * LEAST_ROWS, 1)
    growing = GrowingCodes(DIM, Distance.DOT)
    assert growing.of(matrix) is growing.of(matrix)
