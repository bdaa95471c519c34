"""Selections: what the columns of a segment can say about a filter, slot by slot."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from projector.columns.slot_set import SlotSet


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Three-valued: ``sure`` slots pass, slots outside ``possible`` do not, the others are not known.

    ``sure`` is within ``possible``; they are one and the same object when everything is known.
    """

    sure: SlotSet
    possible: SlotSet

    @property
    def exact(self) -> bool:
        """Whether the columns answer the whole filter."""
        return self.sure is self.possible

    @property
    def undecided(self) -> SlotSet:
        """The slots that only the reference evaluator can decide."""
        return SlotSet.nothing(self.sure.size) if self.exact else self.possible - self.sure

    def resolve(self, passes: Callable[[int], bool], alive: Callable[[SlotSet], SlotSet]) -> SlotSet:
        """The slots that pass the filter: the sure ones, and undecided ones for which ``passes``.

        Slots that ``alive`` takes out of a set are not asked about and do not pass.
        """
        if self.exact:
            return alive(self.sure)
        asked: list[int] = alive(self.undecided).slots().tolist()
        passing = np.array([slot for slot in asked if passes(slot)], np.uint32)
        return alive(self.sure) | SlotSet.of(passing, self.sure.size)


def known(slots: SlotSet) -> Selection:
    """The selection that is exactly these."""
    return Selection(slots, slots)


def at_most(slots: SlotSet) -> Selection:
    """None of the others pass; of these nothing is known."""
    return known(slots) if slots.is_empty else Selection(SlotSet.nothing(slots.size), slots)


def all_of(parts: Iterable[Selection], size: int) -> Selection:
    """What passes every part; everything when there is none. Looks no further once nothing is left."""
    result: Selection | None = None
    for part in parts:
        result = part if result is None else _both(result, part)
        if result.possible.is_empty:
            break
    return known(SlotSet.everything(size)) if result is None else result


def any_of(parts: Iterable[Selection], size: int) -> Selection:
    """What passes at least one part; nothing when there is none."""
    result: Selection | None = None
    for part in parts:
        result = part if result is None else _either(result, part)
    return known(SlotSet.nothing(size)) if result is None else result


def not_of(part: Selection) -> Selection:
    """What does not pass."""
    return known(~part.sure) if part.exact else Selection(~part.possible, ~part.sure)


def at_least(count: int, parts: Iterable[Selection], size: int) -> Selection:
    """What passes ``count`` parts or more."""
    sure, possible = np.zeros(size, np.uint32), np.zeros(size, np.uint32)
    exact = True
    for part in parts:
        _count(sure, part.sure)
        _count(possible, part.possible)
        exact = exact and part.exact
    least = SlotSet.of_mask(sure >= count)
    return known(least) if exact else Selection(least, SlotSet.of_mask(possible >= count))


def _count(counts: NDArray[np.uint32], slots: SlotSet) -> None:
    if slots.is_list:
        counts[slots.slots()] += np.uint32(1)
    else:
        counts += slots.mask()


def _both(first: Selection, second: Selection) -> Selection:
    sure = first.sure & second.sure
    return known(sure) if first.exact and second.exact else Selection(sure, first.possible & second.possible)


def _either(first: Selection, second: Selection) -> Selection:
    sure = first.sure | second.sure
    return known(sure) if first.exact and second.exact else Selection(sure, first.possible | second.possible)
