"""Rows out of runs of bytes, and runs around rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.kernel import around_rows, row_of_each

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


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="as many rows"):
        around_rows(b"", b"1234", 3, [b""])
    with pytest.raises(TypeError):
        around_rows(b"", b"1234", 4, [""])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        row_of_each([None], b"", 0, 0)  # type: ignore[list-item]
