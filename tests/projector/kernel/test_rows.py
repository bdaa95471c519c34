"""Rows out of runs of bytes, and runs around rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.kernel import around_rows, row_of_each, with_rows, without_middle

runs = st.lists(st.tuples(st.binary(min_size=3, max_size=3), st.binary(max_size=4)), max_size=5)


@given(runs, st.binary(max_size=3))
def test_what_is_put_around_rows_can_be_taken_from_it(rows: list[tuple[bytes, bytes]], head: bytes) -> None:
    joined = b"".join(row for row, _ in rows)
    found = around_rows(head, joined, 3, [rest for _, rest in rows])
    assert found == [head + row + rest for row, rest in rows]
    assert row_of_each(found, head, 0, 3) == joined
    assert row_of_each([b"x" + run for run in found], head, 1, 3) == joined


def test_runs_that_are_not_alike_give_no_rows() -> None:
    assert row_of_each([b"ab12", b"ab34"], b"b", 1, 2) == b"1234"
    assert row_of_each([b"ab12", b"ac34"], b"b", 1, 2) is None
    assert row_of_each([b"ab12", b"ab3"], b"b", 1, 2) is None
    assert row_of_each([b"ab12", b""], b"b", 1, 2) is None
    assert row_of_each([b"ab12"], b"b", 1, 2**63) is None
    assert row_of_each([], b"b", 1, 2) == b""


@given(st.lists(st.tuples(st.binary(min_size=3, max_size=6), st.booleans()), max_size=5), st.binary(max_size=2))
def test_rows_are_put_into_runs_that_are_chosen(some: list[tuple[bytes, bool]], head: bytes) -> None:
    wide, narrow = np.arange(20, dtype=np.uint8).reshape(10, 2), np.arange(40, 45, dtype=np.uint8).reshape(5, 1)
    at_wide, at_narrow = np.arange(len(some)), np.arange(len(some))[::-1].copy()
    right = [
        run[:3] + head + b"w" + wide[at].tobytes() + b"nn" + narrow[len(some) - 1 - at].tobytes() + run[3:]
        if chosen
        else run
        for at, (run, chosen) in enumerate(some)
    ]
    lengths = np.array([len(run) for run, _ in some], np.int64)
    chosen = np.array([chosen for _, chosen in some], np.bool_)
    joined = b"".join(run for run, _ in some)
    found = with_rows(joined, lengths, chosen, 3, head, [b"w", b"nn"], [wide, narrow], [at_wide, at_narrow])
    assert found == b"".join(right)
    assert without_middle(right, 3, 3) == found
    added = [run for run, (_, chosen) in zip(right, some, strict=True) if chosen]
    assert without_middle(added, 3, 3 + len(head) + 6) == b"".join(run for run, chosen in some if chosen)


def test_rows_that_are_not_there_are_put_nowhere() -> None:
    matrix, one = np.zeros((2, 4), np.uint8), np.ones(1, np.bool_)
    for place in (-1, 2):
        with pytest.raises(ValueError, match="places are those of rows"):
            with_rows(b"abc", np.array([3]), one, 0, b"", [b""], [matrix], [np.array([place])])
    with pytest.raises(ValueError, match="each run has places"):
        with_rows(b"abc", np.array([3]), one, 0, b"", [b""], [matrix], [np.array([0, 0])])
    with pytest.raises(ValueError, match="each matrix has a head"):
        with_rows(b"abc", np.array([3]), one, 0, b"", [], [matrix], [np.array([0])])


def test_runs_that_are_none_take_no_rows() -> None:
    one = np.ones(1, np.bool_)
    for length in (-1, 2, 4):
        with pytest.raises(ValueError, match="as long as all of them"):
            with_rows(b"abc", np.array([length]), one, 0, b"", [], [], [])
    with pytest.raises(ValueError, match="go on to where"):
        with_rows(b"abc", np.array([3]), one, 4, b"", [], [], [])
    with pytest.raises(ValueError, match="has a length"):
        with_rows(b"abc", np.array([3]), np.ones(2, np.bool_), 0, b"", [], [], [])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="as many rows"):
        around_rows(b"", b"1234", 3, [b""])
    with pytest.raises(ValueError, match="has what is left out"):
        without_middle([b"ab", b"a"], 1, 2)
    with pytest.raises(ValueError, match="before it ends"):
        without_middle([b"ab"], 2, 1)
    with pytest.raises(TypeError):
        around_rows(b"", b"1234", 4, [""])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        row_of_each([None], b"", 0, 0)  # type: ignore[list-item]
