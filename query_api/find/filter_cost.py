"""What a filter costs: an estimate of the time it takes, before it takes it."""

from collections.abc import Collection

from projector.view.part import Part
from query_api.budget import INLINE_US
from query_api.find.selection import passing, remembered
from schemas.filters import Filter
from schemas.filters.weight import weigh

_READ_ROW_US = 15.0
_SELECT_ROW_US = 0.0003
"""For a filter of one test; _TEST_ROW_US more for each."""
_TEST_ROW_US = 0.0003
_TEST_US = 5.0
_MEMBER_US = 1.0
_LOOK_US = 40.0
"""For all of a column's strings, where they are few."""
_COMPARE_TEST_US = 0.5
_COMPARE_MEMBER_US = 0.05
_EVALUATOR_US = 5.0
_EVALUATE_TEST_US = 1.5
_EVALUATE_STEP_US = 0.16
"""Measured on 19 pieces of a tail of 9,900 points: a string is looked up in one in 2 us, an id in 0.1 us."""


class FilterCost:
    """The costs of one filter, which is weighed once."""

    def __init__(self, filter: Filter) -> None:
        self._filter = filter
        self._weight = weigh(filter)

    def of_selecting(self, parts: Collection[Part]) -> float:
        """Microseconds until the columns of all ``parts`` have said what they can. Evaluates nothing."""
        weight = self._weight
        # What is remembered is found by comparing filters, and those that are equal are compared whole.
        spent = len(parts) * (weight.tests * _COMPARE_TEST_US + weight.members * _COMPARE_MEMBER_US)
        if spent > INLINE_US:
            return spent
        return spent + sum(map(self._selecting, parts))

    def _selecting(self, part: Part) -> float:
        spent = part.unread_rows() * _READ_ROW_US
        if remembered(part, self._filter) is not None:
            return spent
        tests, members = self._weight.tests, self._weight.members
        spent += part.size * (_SELECT_ROW_US + tests * _TEST_ROW_US)
        looks = self._weight.looks * _LOOK_US
        return spent + part.pieces() * (tests * _TEST_US + members * _MEMBER_US + looks)

    def of_evaluating(self, part: Part) -> float:
        """Microseconds for what the columns leave undecided. Asks them, so that their answer is there for the read."""
        weight = self._weight
        each = _EVALUATOR_US + weight.tests * _EVALUATE_TEST_US + weight.steps * _EVALUATE_STEP_US
        return passing(part, self._filter).undecided(part) * each
