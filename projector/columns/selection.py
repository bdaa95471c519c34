"""Selections: what the columns of a segment can say about a filter, slot by slot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Three-valued: ``sure`` slots pass, slots outside ``possible`` do not, the others are not known.

    Both are bool [size], ``sure`` within ``possible``; they are one and the same array when everything is known.
    Neither may be written to.
    """

    sure: Mask
    possible: Mask

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


def all_of(parts: Sequence[Selection], size: int) -> Selection:
    """What passes every part; everything when there is none."""
    if not parts:
        return known(np.ones(size, np.bool_))
    return _fold(parts, np.logical_and)


def any_of(parts: Sequence[Selection], size: int) -> Selection:
    """What passes at least one part; nothing when there is none."""
    if not parts:
        return known(np.zeros(size, np.bool_))
    return _fold(parts, np.logical_or)


def none_of(parts: Sequence[Selection], size: int) -> Selection:
    """What passes no part."""
    found = any_of(parts, size)
    if found.exact:
        return known(~found.sure)
    return Selection(~found.possible, ~found.sure)


def at_least(count: int, parts: Sequence[Selection], size: int) -> Selection:
    """What passes ``count`` parts or more."""
    if len(parts) > np.iinfo(np.uint16).max:
        return Selection(np.zeros(size, np.bool_), np.ones(size, np.bool_))
    sure = np.zeros(size, np.uint16)
    possible = np.zeros(size, np.uint16)
    for part in parts:
        sure += part.sure
        possible += part.possible
    if all(part.exact for part in parts):
        return known(sure >= count)
    return Selection(sure >= count, possible >= count)


def _fold(parts: Sequence[Selection], combine: np.ufunc) -> Selection:
    first = parts[0]
    if len(parts) == 1:
        return first
    sure = combine(first.sure, parts[1].sure)
    for part in parts[2:]:
        combine(sure, part.sure, out=sure)
    if all(part.exact for part in parts):
        return known(sure)
    possible = combine(first.possible, parts[1].possible)
    for part in parts[2:]:
        combine(possible, part.possible, out=possible)
    return Selection(sure, possible)
