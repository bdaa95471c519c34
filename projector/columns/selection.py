"""Selections: what the columns of a segment can say about a filter, slot by slot."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from projector.columns.bitmaps import Mask


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Three-valued: ``sure`` slots pass, slots outside ``possible`` do not, the others are not known.

    Both are bool [size], ``sure`` within ``possible``; they are one and the same array when everything is known.
    Neither may be written to.
    """

    sure: Mask
    possible: Mask

    @staticmethod
    def between(sure: Mask, possible: Mask) -> "Selection":
        """What is known to pass and what may; exact where these are the same."""
        return Selection(sure, sure if np.array_equal(sure, possible) else possible)

    @property
    def exact(self) -> bool:
        """Whether the columns answer the whole filter."""
        return self.sure is self.possible

    @property
    def undecided(self) -> NDArray[np.int64]:
        """The slots that only the reference evaluator can decide, ascending."""
        if self.exact:
            return np.empty(0, np.int64)
        return np.flatnonzero(self.possible & ~self.sure)

    def resolve(self, passes: Callable[[int], bool], alive: Mask | None = None) -> Mask:
        """The slots that pass the filter, bool [size]: the sure ones, and undecided ones for which ``passes``.

        Slots outside ``alive``, where given, are not asked about and do not pass. The result may be ``possible``
        itself: it must not be written to.
        """
        if self.exact:
            return self.sure if alive is None else self.sure & alive
        sure = self.sure.copy() if alive is None else self.sure & alive
        possible = self.possible if alive is None else self.possible & alive
        for slot in np.flatnonzero(possible & ~sure).tolist():
            if passes(slot):
                sure[slot] = True
        return sure


def known(mask: Mask) -> Selection:
    """The selection that is exactly ``mask``."""
    return Selection(mask, mask)


def all_of(parts: Iterable[Selection], size: int) -> Selection:
    """What passes every part; everything when there is none."""
    return _fold(parts, np.logical_and) or known(np.ones(size, np.bool_))


def any_of(parts: Iterable[Selection], size: int) -> Selection:
    """What passes at least one part; nothing when there is none."""
    return _fold(parts, np.logical_or) or known(np.zeros(size, np.bool_))


def not_of(part: Selection) -> Selection:
    """What does not pass."""
    if part.exact:
        return known(~part.sure)
    return Selection(~part.possible, ~part.sure)


def at_least(count: int, parts: Iterable[Selection], size: int) -> Selection:
    """What passes ``count`` parts or more."""
    sure = np.zeros(size, np.uint32)
    possible = np.zeros(size, np.uint32)
    exact = True
    for part in parts:
        sure += part.sure
        possible += part.possible
        exact = exact and part.exact
    return known(sure >= count) if exact else Selection(sure >= count, possible >= count)


def _fold(parts: Iterable[Selection], combine: np.ufunc) -> Selection | None:
    """Take the parts one by one: a filter may have thousands, and each is as large as the segment."""
    result: Selection | None = None
    for part in parts:
        if result is None:
            result = part
            continue
        sure = combine(result.sure, part.sure)
        exact = result.exact and part.exact
        result = Selection(sure, sure if exact else combine(result.possible, part.possible))
    return result
