"""Booleans. Sections of a column: the sets of slots ``trues`` and ``falses``."""

from collections import Counter

from projector.columns.bitmaps import SlotList, set_of_slots
from projector.columns.sections import Sections, SectionSource
from projector.columns.selection import Selection, any_of, known
from projector.columns.slot_set import SlotSet
from schemas.filters import ElementTest, IsOfType, MatchBool, MatchExcept


class BoolAccumulator:
    """Collects booleans."""

    def __init__(self) -> None:
        self._slots = {True: SlotList("trues"), False: SlotList("falses")}

    def add(self, value: bool, slot: int) -> None:
        """Record a boolean; slots come in ascending order."""
        self._slots[value].add(slot)

    def finish(self, size: int) -> Sections:
        """The sections, for ``size`` slots."""
        return {**self._slots[True].finish(size), **self._slots[False].finish(size)}


class Bools:
    """The reader of what BoolAccumulator wrote."""

    tests = (MatchBool, MatchExcept, IsOfType)

    def __init__(self, source: SectionSource, size: int) -> None:
        self._size = size
        self._source = source

    def select(self, test: ElementTest) -> Selection:
        """The slots where a boolean passes."""
        if isinstance(test, MatchBool):
            return known(self._of(test.value))
        if isinstance(test, IsOfType) and test.data_type != "bool":
            return known(SlotSet.nothing(self._size))
        # No list has booleans to be excepted.
        return any_of([known(self._of(True)), known(self._of(False))], self._size)

    def counts(self, among: SlotSet | None) -> Counter[bool]:
        """How many of the slots ``among`` have each boolean."""
        sets = {value: self._of(value) for value in (False, True)}
        counts = {value: len(slots if among is None else slots & among) for value, slots in sets.items()}
        return Counter({value: count for value, count in counts.items() if count})

    def _of(self, value: bool) -> SlotSet:
        return SlotSet.union([set_of_slots(self._source, "trues" if value else "falses")], self._size)
