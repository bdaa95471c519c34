"""Keywords: strings, by all of their characters. What they spell besides, ``datetimes``, ``uuids``, ``texts`` know.

Sections of a column: those of ``postings``.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from projector.columns.postings import Postings, PostingsAccumulator
from projector.columns.sections import SectionSource
from projector.columns.selection import Selection, at_most, known
from projector.columns.slot_set import SlotSet
from schemas.filters import (
    ElementTest,
    IsOfType,
    MatchAny,
    MatchExcept,
    MatchKeyword,
    MatchPhrase,
    MatchPrefix,
    MatchText,
    MatchTextAny,
)
from schemas.matching import element_passes

_FEW = 256
_FEW_PARSED = 32
"""So many strings are looked at one by one, in a tenth of a millisecond, rather than the slots that have them."""

KeywordAccumulator = PostingsAccumulator


class Keywords:
    """The reader of what KeywordAccumulator wrote."""

    tests = (MatchKeyword, MatchAny, MatchExcept, MatchText, MatchTextAny, MatchPhrase, MatchPrefix, IsOfType)

    def __init__(self, source: SectionSource, size: int) -> None:
        self._size = size
        self._postings = Postings(source, size)

    def any(self) -> SlotSet:
        """The slots that have a string."""
        return self._postings.any()

    def select(self, test: ElementTest) -> Selection:
        """The slots where a string passes."""
        match test:
            case MatchKeyword():
                pieces = [self._postings.of(test.value)]
            case MatchAny():
                pieces = self._postings.of_any(test.values)
            case MatchExcept():
                pieces = self._postings.of_others(test.values)
            case IsOfType():
                return known(self.any() if test.data_type in ("keyword", "text") else SlotSet.nothing(self._size))
            case _:
                return self.where(lambda text: element_passes(test, text))
        return known(SlotSet.union(pieces, self._size))

    def where(self, passes: Callable[[str], bool], *, parsed: bool = False) -> Selection:
        """The slots that have a string for which ``passes``; where there are many strings, all that have any may.

        ``parsed``: it takes microseconds to say.
        """
        if len(self._postings) > (_FEW_PARSED if parsed else _FEW):
            return at_most(self.any())
        return known(self._postings.of_places([p for p, text in enumerate(self._postings.texts()) if passes(text)]))

    def at(self, slots: NDArray[np.int64]) -> Sequence[str | None] | None:
        """The one string of each of some slots, None for none; None where the column has no such list."""
        return self._postings.at(slots) if len(self._postings) else [None] * len(slots)

    def counts(self, among: SlotSet | None) -> Counter[str]:
        """How many of the slots ``among`` have each string that any of them has."""
        return Counter(self._postings.counts(among))
