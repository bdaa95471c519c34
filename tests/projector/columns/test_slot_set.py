"""A set whose slots are found later is the set that has them already, whatever is done with it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.columns.slot_set import SlotSet

SIZE = 200

few_or_many = st.one_of(
    st.sets(st.integers(0, SIZE - 1), max_size=6), st.sets(st.integers(0, SIZE - 1), min_size=SIZE // 3)
)

OPERATIONS: list[Callable[[SlotSet, SlotSet], SlotSet]] = [
    lambda a, b: a & b,
    lambda a, b: b & a,
    lambda a, b: a | b,
    lambda a, b: b | a,
    lambda a, b: a - b,
    lambda a, b: b - a,
    lambda a, b: ~a,
    lambda a, b: a.part(20, 150),
    lambda a, b: a.at(np.arange(0, SIZE, 3, dtype=np.uint32)),
    lambda a, b: a.without(b.slots()),
    lambda a, b: SlotSet.join([(0, a), (SIZE, b)], 2 * SIZE),
]


def now(slots: set[int]) -> SlotSet:
    return SlotSet.union([np.array(sorted(slots), np.uint32)], SIZE)


def later(slots: set[int]) -> SlotSet:
    return SlotSet.later(len(slots), SIZE, lambda: now(slots))


@given(few_or_many, few_or_many, st.sampled_from(OPERATIONS))
def test_what_is_found_later_is_the_same(some: set[int], others: set[int], operation: Callable[..., SlotSet]) -> None:
    right = operation(now(some), now(others))
    found = operation(later(some), later(others))
    assert found.slots().tolist() == right.slots().tolist()
    assert found.mask().tolist() == right.mask().tolist()
    assert (len(found), found.is_list) == (len(right), right.is_list)


@given(few_or_many)
def test_its_form_is_known_before(some: set[int]) -> None:
    found = later(some)
    before = found.is_list, found.is_empty, len(found)
    assert found.has(np.arange(SIZE)).tolist() == now(some).has(np.arange(SIZE)).tolist()
    assert before == (found.is_list, found.is_empty, len(found)) == (now(some).is_list, not some, len(some))


def test_to_count_them_finds_none() -> None:
    def make() -> SlotSet:
        raise IndexError

    found = SlotSet.later(3, SIZE, make)
    assert len(found) == 3
    assert not found.is_empty
    for _ in range(2):
        with pytest.raises(IndexError):
            found.slots()
