"""Sorting in pieces gives what sorting at once does."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api import sorting
from query_api.sorting import in_order


@given(st.lists(st.tuples(st.integers(0, 5), st.integers()), max_size=40))
def test_the_same_as_at_once(items: list[tuple[int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "PIECE", 4)
        assert list(in_order(items)) == sorted(items)
        assert list(in_order(iter(items), lambda item: item[0])) == sorted(items, key=lambda item: item[0])
        assert list(islice(in_order(items), 7)) == sorted(items)[:7]
