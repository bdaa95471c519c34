"""What is found with search codes is what is found without, whatever the vectors are."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.kernel import (
    KernelCodedQuery,
    KernelParts,
    KernelPassing,
    KernelPool,
    KernelRescoring,
    KernelSearchCodes,
    distances,
    encoded,
    levels,
    nearest,
)
from projector.segments.repeats import Repeats
from schemas.vectors.normalise import normalise
from tests.projector.kernel.test_rescoring import first
from tests.projector.kernel.test_threads import next_taken, taken

MEASURES = ["cosine", "dot", "euclid"]
Matrix = NDArray[np.float32]


def rows_of(kind: str, rows: int, dim: int, seed: int) -> Matrix:
    """Vectors that are easily or badly told by a byte a value."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((rows, dim))
    match kind:
        case "far from the origin":
            values += 1000.0
        case "a value larger than all others":
            values[:, 0] *= 1e4
        case "rows of any length":
            values *= np.exp(rng.uniform(-20, 20, (rows, 1)))
        case "equal rows":
            values = values[rng.integers(0, max(1, rows // 20), rows)]
        case "zeros":
            values[rng.random(rows) < 0.5] = 0.0
            values[rng.random((rows, dim)) < 0.5] = 0.0
        case "large":
            values *= 1e14
        case "tiny":
            values *= 1e-36
        case _:
            pass
    return values.astype(np.float32)


KINDS = [
    "normal",
    "far from the origin",
    "a value larger than all others",
    "rows of any length",
    "equal rows",
    "zeros",
    "large",
    "tiny",
]


SHARES = [0.0, 0.001, 0.1, 0.45, 0.55, 0.99, 1.0]
"""Of masks: rows are picked from some, and looked at in order of others."""


def codes_of(matrix: NDArray[Any], measure: str, level: str | None = None) -> KernelSearchCodes:
    centre = matrix.mean(axis=0, dtype=np.float64).astype(np.float32)
    rows, error, length, scale = encoded(matrix.astype(np.float32), centre, measure)
    return KernelSearchCodes(rows, centre, measure, error, length, scale, level)


def distances_by_codes(
    matrix: Matrix, measure: str, query: Matrix, rows: NDArray[np.int64]
) -> tuple[Matrix, KernelCodedQuery]:
    prepared = codes_of(matrix, measure).query(query)
    assert prepared is not None
    codes, *_ = encoded(matrix, matrix.mean(axis=0, dtype=np.float64).astype(np.float32), measure)
    return distances(codes, "bytes", prepared.bytes, rows), prepared


@settings(deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    measure=st.sampled_from(MEASURES),
    rows=st.integers(1, 6000),
    dim=st.integers(1, 200),
    wanted=st.integers(0, 40),
    which=st.sampled_from(["all", "list", "mask"]),
    share=st.sampled_from(SHARES),
    half=st.booleans(),
    level=st.sampled_from(levels()),
    own=st.booleans(),
    seed=st.integers(0, 1 << 20),
)
def test_scans_find_the_same(
    kind: str,
    measure: str,
    rows: int,
    dim: int,
    wanted: int,
    which: str,
    share: float,
    half: bool,
    level: str,
    own: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    made = rows_of(kind, rows, dim, seed)
    query = made[rng.integers(rows)].copy() if own else rows_of(kind, 1, dim, seed + 1)[0]
    if measure == "cosine":
        made, query = normalise(made), normalise(query[np.newaxis])[0]
    matrix = made.astype(np.float16) if half and kind != "large" else made
    if not np.isfinite(matrix).all():
        matrix = made
    mask = rng.random(rows) < share
    listed = rng.permutation(np.flatnonzero(mask))
    chosen = {"all": None, "list": listed, "mask": mask}[which]
    codes = codes_of(matrix, measure, level)
    assert codes.query(query) is not None
    found, scores = nearest(matrix, measure, query, wanted, chosen, level, codes)
    right, right_scores = nearest(matrix, measure, query, wanted, chosen, level)
    assert found.tolist() == right.tolist()
    assert scores.tolist() == right_scores.tolist()


@settings(deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    measure=st.sampled_from(MEASURES),
    dim=st.integers(1, 100),
    wanted=st.integers(1, 30),
    filtered=st.booleans(),
    seed=st.integers(0, 1 << 20),
)
def test_a_walk_through_everything_and_its_rescoring_find_the_same(
    kind: str, measure: str, dim: int, wanted: int, filtered: bool, seed: int
) -> None:
    rows = 400
    matrix, query = rows_of(kind, rows, dim, seed), rows_of(kind, 1, dim, seed + 1)[0]
    if measure == "cosine":
        matrix, query = normalise(matrix), normalise(query[np.newaxis])[0]
    repeats = Repeats.find(matrix)
    distinct = repeats.distinct(rows)
    about, prepared = distances_by_codes(matrix, measure, query, distinct)
    order = np.argsort(about, kind="stable")
    mask = np.random.default_rng(seed).random(rows) < 0.7
    rescoring = KernelRescoring(matrix, measure, repeats.firsts, repeats.ends, repeats.rows)
    walked = distinct[order].astype(np.uint32), about[order]
    passing = KernelPassing(mask) if filtered else None
    found, scores = rescoring.nearest(*walked, query, wanted, passing, prepared)
    right, right_scores = nearest(matrix, measure, query, wanted, mask if filtered else None)
    assert first(found, scores, wanted, measure) == first(right, right_scores, wanted, measure)


@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("dim", [1, 7, 31, 32, 33, 55, 56, 57, 63, 64, 65, 100, 120, 127, 128, 129, 130])
@pytest.mark.parametrize("count", [1, 15, 16, 17, 63, 64, 65, 79, 2047, 2049])
def test_every_row_is_looked_at(level: str, dim: int, count: int) -> None:
    matrix = rows_of("normal", count, dim, dim)
    codes = codes_of(matrix, "euclid", level)
    rng = np.random.default_rng(count)
    for at in {0, count - 1, *rng.integers(0, count, 5).tolist()}:
        mask = rng.random(count) < 0.3
        mask[at] = True
        for chosen in (None, mask, np.flatnonzero(mask)):
            found, _ = nearest(matrix, "euclid", matrix[at], 1, chosen, level, codes)
            right, _ = nearest(matrix, "euclid", matrix[at], 1, chosen, level)
            assert found.tolist() == right.tolist()
            assert at in found


@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("measure", MEASURES)
def test_codes_that_are_no_number_tell_nothing(level: str, measure: str) -> None:
    matrix = rows_of("normal", 3000, 40, 1)
    query = rows_of("normal", 1, 40, 2)[0]
    if measure == "cosine":
        matrix, query = normalise(matrix), normalise(query[np.newaxis])[0]
    right, right_scores = nearest(matrix, measure, query, 10, None, level)
    centre = matrix.mean(axis=0, dtype=np.float64).astype(np.float32)
    rows, error, length, scale = encoded(matrix, centre, measure)
    rng = np.random.default_rng(3)
    hidden = np.union1d(rng.integers(0, len(rows), 300), right)
    heads = rows[:, :8].copy().view(np.float32)
    heads[hidden, rng.integers(0, 2, len(hidden))] = rng.choice([np.inf, -np.inf, np.nan], len(hidden))
    rows[:, :8] = heads.view(np.uint8)
    codes = KernelSearchCodes(rows, centre, measure, error, length, scale, level)
    for chosen in (None, np.ones(len(rows), np.bool_), np.arange(len(rows))):
        found, scores = nearest(matrix, measure, query, 10, chosen, level, codes)
        assert found.tolist() == right.tolist()
        assert scores.tolist() == right_scores.tolist()


@settings(deadline=None)
@given(
    measure=st.sampled_from(MEASURES),
    sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=4),
    kinds=st.lists(st.sampled_from(["normal", "equal rows", "far from the origin"]), min_size=4, max_size=4),
    wanted=st.integers(1, 200),
    seed=st.integers(0, 1 << 20),
)
def test_scans_of_several_parts_find_the_same(
    measure: str, sizes: list[int], kinds: list[str], wanted: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    query = rows_of("normal", 1, 48, seed)[0]
    parts: list[tuple[Any, Any, KernelSearchCodes | None]] = []
    for number, rows in enumerate(sizes):
        matrix = rows_of(kinds[number], rows, 48, seed + number)
        chosen = None if rng.random() < 0.5 else rng.random(rows) < rng.random()
        codes = None if rng.random() < 0.3 else codes_of(matrix, measure)
        parts.append((matrix, chosen, codes))
    without = KernelParts([(matrix, chosen, None) for matrix, chosen, _ in parts])
    right = [values.tolist() for values in without.nearest(measure, query, wanted)[:3]]
    scans = KernelParts(parts)
    assert [values.tolist() for values in scans.nearest(measure, query, wanted)[:3]] == right
    pool = KernelPool(2)
    pool.nearest(1, scans, measure, query, wanted)
    assert [values.tolist() for values in next_taken(pool)[:3]] == right


@pytest.mark.parametrize("level", levels())
def test_scans_find_the_same_where_float64_loses_what_rows_differ_by(level: str) -> None:
    rng = np.random.default_rng(4)
    matrix = (rng.standard_normal((2000, 64)) * 2.0**-22).astype(np.float32)
    matrix[:, :2] = 2.0**40, -(2.0**40)
    query = (rng.standard_normal(64) * 2.0**15).astype(np.float32)
    query[:2] = 1.7 * 2.0**15
    codes = codes_of(matrix, "dot", level)
    assert codes.query(query) is not None
    found, scores = nearest(matrix, "dot", query, 10, None, level, codes)
    right, right_scores = nearest(matrix, "dot", query, 10, None, level)
    assert found.tolist() == right.tolist()
    assert scores.tolist() == right_scores.tolist()


@settings(deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    measure=st.sampled_from(MEASURES),
    rows=st.integers(0, 50),
    dim=st.integers(1, 140),
    seed=st.integers(0, 1 << 20),
)
def test_codes_are_the_nearest_there_are(kind: str, measure: str, rows: int, dim: int, seed: int) -> None:
    matrix = rows_of(kind, rows, dim, seed)
    centre = rows_of(kind, 1, dim, seed + 1)[0]
    found, error, length, scale = encoded(matrix, centre, measure)
    for level in levels():
        codes, *sizes = encoded(matrix, centre, measure, level)
        assert codes.tolist() == found.tolist()
        assert sizes == [error, length, scale]
    heads = found[:, :8].copy().view(np.float32).astype(np.float64)
    scales, codes = heads[:, :1], found[:, 8:].astype(np.float64) - 128.0
    values = matrix.astype(np.float64) - centre
    meant = codes * scales
    assert (np.abs(values - meant) <= scales * (0.5 + 1e-9)).all()
    assert np.abs(codes).max(initial=0.0) <= 127
    of_all = [np.linalg.norm(values - meant, axis=1), np.linalg.norm(meant, axis=1), scales]
    for all_rows, told in zip(of_all, (error, length, scale), strict=True):
        np.testing.assert_allclose(all_rows.max(initial=0.0), told, rtol=1e-12)
    squares = (meant * meant).sum(axis=1) if measure == "euclid" else np.zeros(rows)
    np.testing.assert_allclose(heads[:, 1], squares, rtol=1e-6)


def test_most_rows_are_told_apart() -> None:
    matrix = normalise(rows_of("normal", 20_000, 100, 1))
    query = normalise(rows_of("normal", 1, 100, 2))[0]
    about, _ = distances_by_codes(matrix, "cosine", query, np.arange(len(matrix)))
    assert np.abs(about - (1 - matrix @ query)).max() < 0.01


def test_a_query_beyond_float32_has_none() -> None:
    matrix = rows_of("normal", 10, 8, 1)
    for measure in MEASURES:
        codes = codes_of(matrix, measure)
        assert codes.query(np.full(8, 1e30, np.float32)) is None
        assert codes.query(np.full(8, np.inf, np.float32)) is None
        assert codes.query(np.full(8, np.nan, np.float32)) is None


def test_a_search_keeps_its_codes() -> None:
    matrix = normalise(rows_of("normal", 3000, 64, 3))
    pool = KernelPool(2)
    for ticket in range(20):
        scans = KernelParts([(matrix, None, codes_of(matrix, "cosine"))])
        pool.nearest(ticket, scans, "cosine", matrix[ticket], 3)
        del scans
    for ticket, answer in taken(pool, 20):
        assert not isinstance(answer, str)
        assert ticket in answer[1].tolist()


def test_shapes_and_measures_must_fit() -> None:
    matrix = rows_of("normal", 10, 8, 1)
    rows, error, length, scale = encoded(matrix, matrix[0], "dot")
    with pytest.raises(ValueError, match="code a value"):
        KernelSearchCodes(rows[:, :-1].copy(), matrix[0], "dot", error, length, scale)
    with pytest.raises(ValueError, match="no codes for this measure"):
        KernelSearchCodes(rows, matrix[0], "manhattan", error, length, scale)
    codes = KernelSearchCodes(rows, matrix[0], "dot", error, length, scale)
    with pytest.raises(ValueError, match="dim values"):
        codes.query(matrix[0, :-1].copy())
    with pytest.raises(ValueError, match="each row has codes"):
        nearest(matrix[:5], "dot", matrix[0], 1, codes=codes)
    with pytest.raises(ValueError, match="as long"):
        encoded(matrix, matrix[0, :-1].copy(), "dot")
