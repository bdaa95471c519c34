"""What follows a walk, against what it is made of: repeats, what may not be found, and exact comparison."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import DTypeLike, NDArray

from projector.kernel import KernelPassing, KernelRescoring, distances, levels, nearest
from projector.segments.repeats import Repeats

ROWS, DIM = 60, 21
METRICS = {"cosine": "dot", "dot": "dot", "euclid": "squared"}
Matrix = NDArray[np.float32]
Mask = NDArray[np.bool_]


def crowded(seed: int, distinct: int, magnitude: float = 1.0) -> Matrix:
    """Rows of which many are equal."""
    rng = np.random.default_rng(seed)
    few = rng.normal(size=(distinct, DIM)).astype(np.float32) * np.float32(magnitude)
    return few[rng.integers(0, distinct, ROWS)]


def unit(rows: Matrix) -> Matrix:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True).astype(np.float32)


def walked(matrix: NDArray[Any], measure: str, query: Matrix, repeats: Repeats) -> tuple[NDArray[np.uint32], Matrix]:
    """What a walk through all of a graph finds."""
    rows = repeats.distinct(len(matrix))
    found = distances(matrix, METRICS[measure], query, rows)
    order = np.argsort(found, kind="stable")
    return rows[order].astype(np.uint32), found[order]


def rescoring(matrix: NDArray[Any], measure: str, repeats: Repeats, level: str | None = None) -> KernelRescoring:
    return KernelRescoring(matrix, measure, repeats.firsts, repeats.ends, repeats.rows, level)


def passing(rng: np.random.Generator) -> tuple[Mask, KernelPassing]:
    """A mask and a way to say it."""
    mask = rng.random(ROWS) < 0.6
    if rng.random() < 0.5:
        return mask, KernelPassing(mask)
    at = 50
    dead_at = np.where(mask, rng.integers(at + 1, 99, ROWS), rng.integers(1, at + 1, ROWS)).astype(np.uint64)
    if rng.random() < 0.5:
        return mask, KernelPassing(dead_at, at)
    slots = np.sort(rng.choice(3 * ROWS, ROWS, replace=False)).astype(np.uint32)
    by_slot = rng.integers(0, 99, 3 * ROWS).astype(np.uint64)
    by_slot[slots] = dead_at
    return mask, KernelPassing(by_slot, at, slots)


@given(
    seed=st.integers(0, 1 << 20),
    distinct=st.integers(1, ROWS),
    wanted=st.integers(1, ROWS),
    measure=st.sampled_from(list(METRICS)),
    magnitude=st.sampled_from([1e-20, 1e-4, 1.0, 1e8, 1e18]),
    level=st.sampled_from(levels()),
)
def test_the_nearest_are_those_of_comparing_all_that_pass(
    seed: int, distinct: int, wanted: int, measure: str, magnitude: float, level: str
) -> None:
    rng = np.random.default_rng(seed)
    matrix = crowded(seed, distinct, magnitude)
    query = rng.normal(size=DIM).astype(np.float32) * np.float32(rng.choice([1.0, magnitude]))
    if measure == "cosine":
        matrix, query = unit(matrix), unit(query)
    repeats = Repeats.find(matrix)
    rows, about = walked(matrix, measure, query, repeats)
    mask, which = passing(rng) if rng.random() < 0.7 else (np.ones(ROWS, np.bool_), None)
    found, scores = rescoring(matrix, measure, repeats, level).nearest(rows, about, query, wanted, which)
    if wanted > np.count_nonzero(mask):
        assert not len(found)
        return
    expected, theirs = nearest(matrix, measure, query, wanted, mask, level)
    assert found.tolist() == sorted(found)
    assert first(found, scores, wanted, measure) == first(expected, theirs, wanted, measure)


def first(rows: NDArray[np.int64], scores: Matrix, wanted: int, measure: str) -> list[tuple[float, int]]:
    """The nearest, of those that are equally near the lowest."""
    near = scores if measure == "euclid" else -scores
    return sorted(zip(near.tolist(), rows.tolist(), strict=True))[:wanted]


@given(seed=st.integers(0, 1 << 20), distinct=st.integers(1, ROWS), most=st.integers(1, ROWS))
def test_spreading_gives_each_row_and_its_lowest_repeats_that_pass(seed: int, distinct: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = crowded(seed, distinct)
    repeats = Repeats.find(matrix)
    mask, which = passing(rng)
    rows, about = walked(matrix, "dot", matrix[0], repeats)
    found, theirs = rescoring(matrix, "dot", repeats).spread(rows, about, most, which)
    expected: list[tuple[int, float]] = []
    for row, distance in zip(rows.tolist(), about.tolist(), strict=True):
        equal = np.flatnonzero((matrix == matrix[row]).all(axis=1) & mask)
        others = [other for other in equal.tolist() if other != row]
        expected += [(other, distance) for other in ([row] if mask[row] else []) + others[:most]]
    assert list(zip(found.tolist(), theirs.tolist(), strict=True)) == expected


@pytest.mark.parametrize("measure", list(METRICS))
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8])
def test_what_float32_cannot_tell_apart_exact_scores_do(measure: str, dtype: DTypeLike) -> None:
    """Rows of the same numbers in another order: sums in float32 differ by rounding, those in float64 do not."""
    rng = np.random.default_rng(4)
    numbers = rng.integers(1, 200, DIM)
    matrix: NDArray[Any] = np.stack([rng.permutation(numbers) for _ in range(ROWS)]).astype(dtype)
    query = np.full(DIM, 0.1, np.float32)
    if measure == "cosine":
        matrix, query = unit(matrix.astype(np.float32)).astype(dtype), unit(query)
    none = Repeats.none()
    rows, about = walked(matrix, measure, query, none)
    found, _ = rescoring(matrix, measure, none).nearest(rows, about, query, 6)
    expected, _ = nearest(matrix, measure, query, 6)
    assert found.tolist() == expected.tolist()


def test_what_is_not_there_is_an_error() -> None:
    matrix = crowded(1, ROWS)
    rows, about = np.array([3], np.uint32), np.zeros(1, np.float32)
    ends = np.array([9], np.uint32)
    for repeats in (Repeats(rows, ends, rows), Repeats(rows, np.array([1], np.uint32), rows + np.uint32(ROWS))):
        with pytest.raises(IndexError):
            rescoring(matrix, "dot", repeats).nearest(rows, about, matrix[0], 2)
    plain = rescoring(matrix, "dot", Repeats.none())
    with pytest.raises(IndexError):
        plain.nearest(rows + np.uint32(ROWS), about, matrix[0], 1)
    with pytest.raises(IndexError):
        plain.spread(rows + np.uint32(ROWS), about, 1, KernelPassing(np.ones(ROWS, np.bool_)))
    with pytest.raises(IndexError):
        plain.spread(rows, about, 1, KernelPassing(np.zeros(5, np.uint64), 1, np.full(ROWS, 5, np.uint32)))
    for wrong in (KernelPassing(np.ones(ROWS - 1, np.bool_)), KernelPassing(np.zeros(ROWS + 1, np.uint64), 1)):
        with pytest.raises(ValueError, match="each row"):
            plain.spread(rows, about, 1, wrong)
    with pytest.raises(ValueError, match="dim values"):
        plain.nearest(rows, about, matrix[0][1:], 1)
