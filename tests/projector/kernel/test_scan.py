"""Scans beside numpy: every measure, datatype and set of instructions, all rows, lists and masks."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.kernel import levels, nearest, scores
from schemas.vectors.normalise import normalise

MEASURES = ["cosine", "dot", "euclid", "manhattan"]
DATATYPES = [np.float32, np.float16, np.uint8]
ROWS = 300


def matrix(rows: int, dim: int, datatype: Any, measure: str, seed: int) -> NDArray[Any]:
    """Rows as they are stored, some of them equal."""
    random = np.random.default_rng(seed)
    if datatype is np.uint8:
        made = random.integers(0, 256, (rows, dim), np.uint8)
    else:
        values = random.standard_normal((rows, dim)).astype(np.float32)
        made = (normalise(values) if measure == "cosine" else values).astype(datatype)
    made[random.integers(0, rows, rows // 4)] = made[0]
    return made


def vector(dim: int, measure: str, seed: int) -> NDArray[np.float32]:
    values = np.random.default_rng(seed).standard_normal((1, dim)).astype(np.float32)
    return normalise(values)[0] if measure == "cosine" else values[0]


def expected(rows: NDArray[Any], measure: str, query: NDArray[np.float32]) -> NDArray[np.float64]:
    if measure == "cosine" and rows.dtype == np.uint8:
        rows = normalise(rows.astype(np.float32))
    wide = rows.astype(np.float64)
    match measure:
        case "euclid":
            return np.sqrt(np.square(wide - query).sum(axis=1))
        case "manhattan":
            return np.abs(wide - query).sum(axis=1)
        case _:
            return wide @ query


def best(found: NDArray[Any], measure: str, wanted: int, among: NDArray[np.int64]) -> list[int]:
    """The rows that are as near as the last that is wanted, ascending."""
    near = found[among] if measure in ("cosine", "dot") else -found[among]
    if wanted == 0:
        return []
    least = -np.inf if len(near) <= wanted else np.sort(near)[-wanted]
    return among[near >= least].tolist()


@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("measure", MEASURES)
@given(dim=st.integers(1, 200), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_scores_are_their_definition_at_every_level(datatype: Any, measure: str, dim: int, seed: int) -> None:
    rows = matrix(12, dim, datatype, measure, seed)
    queries = np.stack([vector(dim, measure, seed + at) for at in range(3)])
    found = scores(rows, measure, queries)
    for query, own in zip(queries, found, strict=True):
        np.testing.assert_allclose(own, expected(rows, measure, query), rtol=2e-7, atol=1e-6)
    some = np.array([11, 0, 3], np.int64)
    for level in levels():
        assert scores(rows, measure, queries, level=level).tolist() == found.tolist()
        assert scores(rows, measure, queries[1:2], some, level).tolist() == [found[1][some].tolist()]


@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("measure", MEASURES)
@given(
    dim=st.integers(1, 70),
    seed=st.integers(0, 999),
    wanted=st.integers(0, ROWS + 5),
    which=st.sampled_from(["all", "list", "mask"]),
    share=st.floats(0, 1),
)
@settings(max_examples=30, deadline=None)
def test_the_nearest(datatype: Any, measure: str, dim: int, seed: int, wanted: int, which: str, share: float) -> None:
    rows, query = matrix(ROWS, dim, datatype, measure, seed), vector(dim, measure, seed + 1)
    mask = np.random.default_rng(seed).random(ROWS) < share
    among = np.arange(ROWS) if which == "all" else np.flatnonzero(mask)
    chosen = {"all": None, "list": among, "mask": mask}[which]
    every = scores(rows, measure, query[np.newaxis])[0]
    for level in levels():
        found, their = nearest(rows, measure, query, wanted, chosen, level)
        assert found.tolist() == best(every, measure, wanted, among)
        assert their.tolist() == every[found].tolist()


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("magnitude", [1e-38, 1e-25, 1e-4, 1e15, 1e25, 3e38])
def test_every_magnitude(measure: str, magnitude: float) -> None:
    rows = matrix(ROWS, 19, np.float32, measure, 3)
    if measure != "cosine":
        rows = (rows / np.abs(rows).max() * magnitude).astype(np.float32)
    query = vector(19, measure, 4)
    every = scores(rows, measure, query[np.newaxis])[0]
    assert np.isfinite(every).all()
    found, _ = nearest(rows, measure, query, 7)
    assert found.tolist() == best(every, measure, 7, np.arange(ROWS))


def test_rows_need_not_follow_each_other() -> None:
    wide = matrix(ROWS, 40, np.float32, "euclid", 5)
    rows, query = wide[::2, 3:20], vector(17, "euclid", 6)
    found, their = nearest(rows, "euclid", query, 4)
    alone = nearest(rows.copy(), "euclid", query, 4)
    assert (found.tolist(), their.tolist()) == (alone[0].tolist(), alone[1].tolist())


def test_what_does_not_fit_is_refused() -> None:
    rows, query = matrix(4, 3, np.float32, "dot", 0), vector(3, "dot", 1)
    with pytest.raises(ValueError, match="dim values"):
        nearest(rows, "dot", query[:2], 1)
    with pytest.raises(ValueError, match="measure"):
        nearest(rows, "squared", query, 1)
    with pytest.raises(ValueError, match="mask"):
        nearest(rows, "dot", query, 1, np.ones(3, np.bool_))
    with pytest.raises(ValueError, match="list"):
        scores(rows, "dot", query[np.newaxis], np.ones(4, np.bool_))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="one piece"):
        nearest(rows[:, ::2], "dot", query[:2], 1)
    for row in (4, -1):
        with pytest.raises(IndexError):
            nearest(rows, "dot", query, 1, np.array([0, row], np.int64))


def test_an_empty_list_is_no_row() -> None:
    rows, query = matrix(4, 3, np.float32, "dot", 0), vector(3, "dot", 1)
    nothing = np.frombuffer(b"", np.int64)
    assert len(nearest(rows, "dot", query, 2, nothing)[0]) == 0
    assert scores(rows, "dot", query[np.newaxis], nothing).shape == (1, 0)
