"""Column: the reader of one payload key path, and what each test selects in it."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.columns.bitmaps import Mask, Slots, is_dense, mask_of
from projector.columns.keywords import Keywords
from projector.columns.numbers import Numbers
from projector.columns.sections import SectionSource
from projector.columns.selection import Selection, known
from schemas.filters import (
    DatetimeRange,
    ElementTest,
    HasPhrase,
    HasTokens,
    IsEmpty,
    IsNull,
    IsOfType,
    MatchAny,
    MatchBool,
    MatchExcept,
    MatchInteger,
    MatchKeyword,
    MatchPhrase,
    MatchPrefix,
    MatchText,
    MatchTextAny,
    MatchUuid,
    Range,
    ValuesCount,
    ValuesTest,
)
from schemas.matching.values import in_range

_EXACT = 1 << 53
"""Integers up to here are float64 as they are."""
_ROUNDED = 1 << 63
"""From here on a float of the column may stand for an integer beside it."""


class Column:
    """One path's values at the slots of a segment of ``size`` slots."""

    def __init__(self, source: SectionSource, size: int) -> None:
        self._source = source
        self._size = size

    def select_element(self, test: ElementTest) -> Selection:
        """The slots where one of the path's elements passes."""
        match test:
            case MatchText() | MatchTextAny() | MatchPhrase() | MatchPrefix() | HasPhrase():
                return self._at_most([self._keywords.slots])
            case MatchUuid() if test.excluded:
                return self._at_most([self._slots("filled")])
            case MatchUuid():
                return self._at_most([self._keywords.slots, *self._any_number(test.texts)])
            case IsOfType():
                return self._of_type(test.data_type)
            case _:
                slots = self._element_slots(test)
        if slots is None:
            return self._at_most([self._slots("others")])
        return self._at_most([*slots, self._floats.slots]) if self._doubts(test) else known(mask_of(slots, self._size))

    def select_values(self, test: ValuesTest) -> Selection:
        """The slots where all of the path's values together pass."""
        match test:
            case IsEmpty():
                filled = mask_of([self._slots("filled")], self._size)
                return known(~filled if test.expected else filled)
            case IsNull():
                nulls = mask_of([self._slots("nulls")], self._size)
                return known(nulls if test.expected else ~nulls)
            case HasTokens():
                return self._at_most([self._keywords.slots])
            case ValuesCount():
                if in_range(0, test):
                    return Selection(np.zeros(self._size, np.bool_), np.ones(self._size, np.bool_))
                return self._at_most([self._slots("filled")])

    def _of_type(self, data_type: str) -> Selection:
        match data_type:
            case "keyword" | "text":
                return known(mask_of([self._keywords.slots], self._size))
            case "float":
                return known(mask_of([self._integers.slots, self._floats.slots], self._size))
            case "bool":
                return known(mask_of([self._slots("trues"), self._slots("falses")], self._size))
            case "datetime":
                return known(mask_of([self._datetimes.slots], self._size))
            case "integer":
                return Selection.between(
                    mask_of([self._integers.slots], self._size),
                    mask_of([self._integers.slots, self._floats.slots], self._size),
                )
            case "uuid":
                return self._at_most([self._keywords.slots])
            case _:
                return self._at_most([self._slots("others")])

    def ordered(self, data_type: str) -> list[tuple[NDArray[Any], NDArray[np.uint32]]]:
        """The values of an ordered type, "integer", "float" or "datetime" (in microseconds), and their slots.

        Each pair is ascending by value; a slot stands there once for each of its values.
        """
        match data_type:
            case "integer":
                return [self._integers.pairs()]
            case "float":
                integers, slots = self._integers.pairs()
                return [(integers.astype(np.float64), slots), self._floats.pairs()]
            case _:
                return [self._datetimes.pairs()]

    def count_keywords(self, mask: Mask | None) -> dict[str, int]:
        """How many of the slots in ``mask``, bool [slots], have each string that any of them has."""
        return self._keywords.counts(mask)

    def arrays_within(self) -> Mask:
        """The slots where one of the path's elements is itself an array."""
        return mask_of([self._slots("arrays_within")], self._size)

    def _element_slots(self, test: ElementTest) -> Sequence[Slots] | None:
        """The slots that pass, as pieces; None for a geo test, which only objects can pass."""
        match test:
            case MatchKeyword():
                return [self._keywords.postings(test.value)]
            case MatchInteger():
                return self._integer(test.value)
            case MatchBool():
                return [self._slots("trues" if test.value else "falses")]
            case MatchAny():
                return [*self._keywords.of_any(test.values), *self._any_number(test.values)]
            case MatchExcept():
                return self._except(test)
            case Range():
                return self._range(test)
            case DatetimeRange():
                return [self._datetimes.between(test.lt, test.lte, test.gt, test.gte)]
            case _:
                return None

    def _doubts(self, test: ElementTest) -> bool:
        """Whether the test turns on what a number is that the column has rounded: an integer of more than 64 bits."""
        low, high = self._floats.extent
        if low > -_ROUNDED and high < _ROUNDED:
            return False
        match test:
            case MatchInteger():
                return abs(test.value) >= _ROUNDED
            case MatchAny() | MatchExcept():
                return any(not isinstance(value, str) and abs(value) >= _ROUNDED for value in test.values)
            case Range():
                return any(bound is not None and abs(bound) >= _ROUNDED for bound in _bounds(test))
            case _:
                return False

    def _any_number(self, values: frozenset[str | int]) -> list[Slots]:
        if len(values) >= len(self._integers) + len(self._floats):
            return [n.slots[n.among(values)] for n in (self._integers, self._floats)]
        return [slots for value in values if not isinstance(value, str) for slots in self._equal(value)]

    def _except(self, test: MatchExcept) -> list[Slots]:
        lists = [self._slots(name) for name in ("trues", "falses", "others")]
        return [*self._keywords.of_others(test.values), *self._other_numbers(test.values), *lists]

    def _other_numbers(self, values: frozenset[str | int]) -> list[NDArray[np.uint32]]:
        if len(values) >= len(self._integers) + len(self._floats):
            return [n.slots[~n.among(values)] for n in (self._integers, self._floats)]
        integers = [value for value in values if not isinstance(value, str)]
        return [*self._integers.other(integers), *self._floats.other(integers)]

    def _integer(self, value: int) -> list[Slots]:
        pieces = self._equal(value)
        if is_dense(sum(map(len, pieces)), self._size) and self._comparable((value,)):
            return [self._numbers == value]
        return pieces

    def _equal(self, value: int) -> list[Slots]:
        return [self._integers.equal(value), self._floats.equal(value)]

    def _comparable(self, bounds: Sequence[float | None]) -> bool:
        """Whether comparing ``numbers``, which are float64, with these gives what comparing by value does."""
        low, high = self._integers.extent
        exact = all(b is None or isinstance(b, float) or abs(b) <= _EXACT for b in bounds)
        return exact and low >= -_EXACT and high <= _EXACT and len(self._numbers) > 0

    def _range(self, test: Range) -> Sequence[Slots]:
        pieces = [n.between(test.lt, test.lte, test.gt, test.gte) for n in (self._integers, self._floats)]
        if is_dense(sum(map(len, pieces)), self._size) and self._comparable(_bounds(test)):
            # Comparing all numbers in order takes less time than going to so many slots in the order of values.
            return [_within(self._numbers, test)]
        return pieces

    def _at_most(self, pieces: Sequence[Slots]) -> Selection:
        if not any(len(slots) for slots in pieces):
            return known(np.zeros(self._size, np.bool_))
        return Selection(np.zeros(self._size, np.bool_), mask_of(pieces, self._size))

    def _slots(self, name: str) -> Slots:
        bits = self._source.array(f"{name}_bits", np.uint8)
        return bits if len(bits) else self._source.array(name, np.uint32)

    @property
    def _numbers(self) -> NDArray[np.float64]:
        return self._source.array("numbers", np.float64)

    @cached_property
    def _keywords(self) -> Keywords:
        return Keywords(self._source)

    @cached_property
    def _integers(self) -> Numbers:
        return Numbers(self._source, "integers", np.int64)

    @cached_property
    def _floats(self) -> Numbers:
        return Numbers(self._source, "floats", np.float64)

    @cached_property
    def _datetimes(self) -> Numbers:
        return Numbers(self._source, "datetimes", np.int64)


def _bounds(test: Range) -> tuple[float | None, ...]:
    return test.lt, test.lte, test.gt, test.gte


def _within(numbers: NDArray[np.float64], test: Range) -> Mask:
    """Which numbers are in the range; NaN never is."""
    parts: list[Mask] = []
    if test.lt is not None:
        parts.append(numbers < test.lt)
    if test.lte is not None:
        parts.append(numbers <= test.lte)
    if test.gt is not None:
        parts.append(numbers > test.gt)
    if test.gte is not None:
        parts.append(numbers >= test.gte)
    mask = parts[0] if parts else ~np.isnan(numbers)
    for part in parts[1:]:
        mask &= part
    return mask
