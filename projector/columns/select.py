"""Evaluate a filter over the columns of a segment: every condition gives a selection of slots."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from projector.columns.columns import Columns
from projector.columns.selection import Selection, all_of, any_of, at_least, at_most, known, not_of
from projector.columns.slot_set import SlotSet
from schemas.filters import (
    Condition,
    FieldCondition,
    FieldTest,
    Filter,
    HasId,
    HasTokens,
    HasVector,
    IsEmpty,
    IsNull,
    Nested,
    Slice,
    ValuesCount,
    ValuesTest,
)
from schemas.ids import PointId
from schemas.json_path import Path
from schemas.matching.values import in_range


class VectorSlots(Protocol):
    """Which slots have a vector: ``slots`` uint32 ascending, None for all."""

    @property
    def slots(self) -> NDArray[np.uint32] | None:
        """The slots."""
        ...


class Slotted(Protocol):
    """What selecting needs to know of a segment."""

    @property
    def size(self) -> int:
        """The number of slots."""
        ...

    @property
    def columns(self) -> Columns:
        """Their columns."""
        ...

    def having_id(self, ids: frozenset[PointId]) -> NDArray[np.integer]:
        """The slots that have one of ``ids``, in any order."""
        ...

    def vectors(self, name: str) -> VectorSlots | None:
        """Who has a vector of this name; None: nobody."""
        ...


def select(filter: Filter, segment: Slotted) -> Selection:
    """What the columns say about ``filter`` at each slot of ``segment``; it agrees with ``schemas.matching``."""
    return _Selector(segment).filter(filter)


class _Selector:
    """One evaluation.

    ``within`` is the array of objects that a nested filter looks into; paths are relative to it. What is wanted then
    is where *some* object may pass, so only ``possible`` counts: conditions that different objects pass may not all
    be passed by one, and what one object fails another may not.
    """

    def __init__(self, segment: Slotted, within: Path | None = None) -> None:
        self._segment = segment
        self._size = segment.size
        self._within = within

    def filter(self, filter: Filter) -> Selection:
        return all_of(self._clauses(filter), self._size)

    def _clauses(self, filter: Filter) -> Iterator[Selection]:
        yield from self._each(filter.must)
        if filter.must_not and self._within is None:
            yield not_of(any_of(self._each(filter.must_not), self._size))
        if filter.should:
            yield any_of(self._each(filter.should), self._size)
        if filter.min_should is not None:
            conditions = self._each(filter.min_should.conditions)
            yield at_least(filter.min_should.min_count, conditions, self._size)

    def _each(self, conditions: Sequence[Condition]) -> Iterator[Selection]:
        return (self._condition(condition) for condition in conditions)

    def _condition(self, condition: Condition) -> Selection:
        match condition:
            case FieldCondition():
                return any_of((self._test(condition.key, test) for test in condition.tests), self._size)
            case Filter():
                return self.filter(condition)
            case Nested():
                return self._nested(condition)
            case _:
                return self._nothing() if self._within is not None else self._point(condition)

    def _point(self, condition: HasId | HasVector | Slice) -> Selection:
        match condition:
            case HasId():
                return known(SlotSet.union([self._segment.having_id(condition.ids).astype(np.uint32)], self._size))
            case HasVector():
                vectors = self._segment.vectors(condition.name)
                if vectors is None:
                    return self._nothing()
                slots = vectors.slots
                return known(self._all() if slots is None else SlotSet.of(slots, self._size))
            case Slice():
                return self._unknown()

    def _test(self, key: Path, test: FieldTest) -> Selection:
        path = key if self._within is None else Path((*self._within.steps, *key.steps))
        found = self._segment.columns.find(path)
        if found is None:
            return self._unknown()
        column, own = found
        if isinstance(test, ValuesTest):
            return column.select_values(test) if own and not self._of_one(test) else self._unknown()
        selection = column.select_element(test)
        if own:
            return selection
        # The path leads to some of the column's elements, or into arrays among them, which the column leaves out.
        return at_most(selection.possible | column.presence.arrays_within())

    def _of_one(self, test: ValuesTest) -> bool:
        """Whether one object among several may pass a test that all of them together do not."""
        if self._within is None:
            return False
        match test:
            case IsEmpty():
                return test.expected
            case IsNull():
                return not test.expected
            case ValuesCount():
                return in_range(0, test)
            case HasTokens():
                return False

    def _nested(self, condition: Nested) -> Selection:
        steps = condition.key.steps if self._within is None else (*self._within.steps, *condition.key.steps)
        return at_most(_Selector(self._segment, Path(steps)).filter(condition.filter).possible)

    def _all(self) -> SlotSet:
        return SlotSet.everything(self._size)

    def _nothing(self) -> Selection:
        return known(SlotSet.nothing(self._size))

    def _unknown(self) -> Selection:
        return at_most(self._all())
