"""Presence: where there is anything at a path, where nulls, objects and arrays are, and how many values.

Sections of a column, sets of slots: ``filled`` has a value other than null and ``[]``; ``nulls`` a null among the
elements, ``others`` an object or an array, ``arrays_within`` an array. For counts: ``lengths`` i64 of arrays with their
slots (``ordered``), ``bare_nulls`` has a null outside of an array, ``bares`` another value outside of one; where no
slot has an array that is ``filled``, and ``bares`` is left out. Columns of earlier releases have no counts.
"""

import numpy as np

from projector.columns.bitmaps import SlotList, set_of_slots
from projector.columns.ordered import Ordered, OrderedAccumulator
from projector.columns.sections import Sections, SectionSource
from projector.columns.selection import Selection, at_most, known
from projector.columns.slot_set import SlotSet
from schemas.filters import IsEmpty, IsNull, ValuesCount
from schemas.matching.values import in_range


class PresenceAccumulator:
    """Collects what kinds of values there are."""

    def __init__(self) -> None:
        self._filled = SlotList("filled")
        self._nulls = SlotList("nulls")
        self._others = SlotList("others")
        self._arrays_within = SlotList("arrays_within")
        self._lengths: OrderedAccumulator[int] = OrderedAccumulator("lengths", "q")
        self._bares = SlotList("bares")
        self._bare_nulls = SlotList("bare_nulls")

    @property
    def points(self) -> int:
        """How many slots have a value other than null and ``[]``."""
        return len(self._filled)

    def add_bare(self, slot: int, *, is_null: bool) -> None:
        """The path leads to a value that is no array."""
        if is_null:
            self._bare_nulls.add(slot)
        else:
            self._filled.add(slot)
            self._bares.add(slot)

    def add_array(self, length: int, slot: int) -> None:
        """The path leads to an array."""
        self._lengths.add(length, slot)
        if length:
            self._filled.add(slot)

    def add_null(self, slot: int) -> None:
        """One of the elements is null."""
        self._nulls.add(slot)

    def add_other(self, slot: int, *, is_array: bool) -> None:
        """One of the elements is an object or an array."""
        self._others.add(slot)
        if is_array:
            self._arrays_within.add(slot)

    def finish(self, size: int) -> Sections:
        """The sections, for ``size`` slots."""
        kept = [self._filled, self._nulls, self._others, self._arrays_within, self._bare_nulls]
        sections: Sections = self._lengths.finish(size)
        for slots in [*kept, self._bares] if sections else kept:
            sections.update(slots.finish(size))
        return sections


class Presence:
    """The reader of what PresenceAccumulator wrote."""

    def __init__(self, source: SectionSource, size: int, *, counted: bool) -> None:
        """``counted``: whether there are counts."""
        self._source = source
        self._size = size
        self._counted = counted

    def filled(self) -> SlotSet:
        """A value other than null and ``[]``."""
        return self._set("filled")

    def others(self) -> SlotSet:
        """An object or an array among the elements."""
        return self._set("others")

    def arrays_within(self) -> SlotSet:
        """An array among the elements."""
        return self._set("arrays_within")

    def select(self, test: IsEmpty | IsNull | ValuesCount) -> Selection:
        """The slots where all of the path's values together pass."""
        match test:
            case IsEmpty():
                return known(~self.filled() if test.expected else self.filled())
            case IsNull():
                return known(self._set("nulls") if test.expected else ~self._set("nulls"))
            case ValuesCount():
                return self._count(test) if self._counted else self._uncounted(test)

    def _count(self, test: ValuesCount) -> Selection:
        lengths = Ordered(self._source, "lengths", np.int64)
        bares = self._set("bares") if len(lengths) else self.filled()
        passing = SlotSet.union([lengths.slots[lengths.span(test)]], self._size)
        if in_range(1, test):
            passing |= bares
        if in_range(0, test):
            # Null counts none, and so does nothing at all.
            passing |= self._set("bare_nulls")
            passing |= ~(bares | self._set("bare_nulls") | SlotSet.union([lengths.slots], self._size))
        return known(passing)

    def _uncounted(self, test: ValuesCount) -> Selection:
        return at_most(SlotSet.everything(self._size) if in_range(0, test) else self.filled())

    def _set(self, name: str) -> SlotSet:
        return SlotSet.union([set_of_slots(self._source, name)], self._size)
