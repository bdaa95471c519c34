"""Column: the reader of one payload key path, and what each test selects in it."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from projector.columns.keywords import Keywords
from projector.columns.meta import ColumnMeta
from projector.columns.numbers import Numbers
from projector.columns.sections import SectionSource
from projector.columns.selection import Mask, Selection, known
from schemas.filters import (
    DatetimeRange,
    ElementTest,
    IsEmpty,
    IsNull,
    MatchAny,
    MatchBool,
    MatchExcept,
    MatchInteger,
    MatchKeyword,
    MatchPhrase,
    MatchPrefix,
    MatchText,
    MatchTextAny,
    Range,
    ValuesCount,
    ValuesTest,
)
from schemas.matching.values import in_range

Slots = NDArray[np.uint32]


class Column:
    """One path's values at the slots of a segment of ``size`` slots."""

    def __init__(self, meta: ColumnMeta | None, source: SectionSource, size: int) -> None:
        """``meta`` is None for a path that leads to nothing at any slot."""
        self.bare_values = meta is not None and meta.bare_values
        self._source = source
        self._size = size

    def select_element(self, test: ElementTest) -> Selection:
        """The slots where one of the path's elements passes."""
        match test:
            case MatchText() | MatchTextAny() | MatchPhrase() | MatchPrefix():
                return self._at_most([self._keywords.slots])
            case _:
                slots = self._element_slots(test)
        return self._at_most([self._slots("others")]) if slots is None else known(self._mask(slots))

    def select_values(self, test: ValuesTest) -> Selection:
        """The slots where all of the path's values together pass."""
        match test:
            case IsEmpty():
                filled = self._mask([self._slots("filled")])
                return known(~filled if test.expected else filled)
            case IsNull():
                nulls = self._mask([self._slots("nulls")])
                return known(nulls if test.expected else ~nulls)
            case ValuesCount():
                if in_range(0, test):
                    return Selection(np.zeros(self._size, np.bool_), np.ones(self._size, np.bool_))
                return self._at_most([self._slots("filled")])

    def arrays_within(self) -> Mask:
        """The slots where one of the path's elements is itself an array."""
        return self._mask([self._slots("arrays_within")])

    def _element_slots(self, test: ElementTest) -> Sequence[Slots] | None:
        """The slots that pass, as pieces; None for a geo test, which only objects can pass."""
        match test:
            case MatchKeyword():
                return [self._keywords.postings(test.value)]
            case MatchInteger():
                return [self._integers.equal(test.value)]
            case MatchBool():
                return [self._slots("trues" if test.value else "falses")]
            case MatchAny():
                return [self._postings(value) for value in test.values]
            case MatchExcept():
                return self._except(test)
            case Range():
                return [
                    self._integers.between(test.lt, test.lte, test.gt, test.gte, as_float=True),
                    self._floats.between(test.lt, test.lte, test.gt, test.gte, as_float=True),
                ]
            case DatetimeRange():
                return [self._datetimes.between(test.lt, test.lte, test.gt, test.gte, as_float=False)]
            case _:
                return None

    def _postings(self, value: str | int) -> Slots:
        return self._keywords.postings(value) if isinstance(value, str) else self._integers.equal(value)

    def _except(self, test: MatchExcept) -> list[Slots]:
        texts = {v for v in test.values if isinstance(v, str)}
        integers = [v for v in test.values if not isinstance(v, str)]
        lists = [self._slots(name) for name in ("trues", "falses", "others")]
        named = [*self._keywords.other_postings(texts), *self._integers.other(integers)]
        return [*named, self._floats.slots, *lists]

    def _mask(self, pieces: Sequence[Slots]) -> Mask:
        mask = np.zeros(self._size, np.bool_)
        for slots in pieces:
            mask[slots] = True
        return mask

    def _at_most(self, pieces: Sequence[Slots]) -> Selection:
        if not any(len(slots) for slots in pieces):
            return known(np.zeros(self._size, np.bool_))
        return Selection(np.zeros(self._size, np.bool_), self._mask(pieces))

    def _slots(self, name: str) -> Slots:
        return self._source.array(name, np.uint32)

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
