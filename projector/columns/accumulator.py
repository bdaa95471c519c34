"""What one payload key path has at every slot, collected while payloads stream by."""

from array import array

import numpy as np

from projector.columns.bitmaps import slot_sections
from projector.columns.keywords import KeywordAccumulator
from projector.columns.numbers import INT64_MAX, INT64_MIN, NumberAccumulator, single_numbers
from projector.columns.sections import Sections
from schemas.matching.values import number_of

JsonItem = str | int | float | bool | None | list["JsonItem"] | dict[str, "JsonItem"]


class _SlotList:
    """Ascending slots, each once."""

    __slots__ = ("last", "slots")

    def __init__(self) -> None:
        self.last = -1
        self.slots = array("I")

    def add(self, slot: int) -> None:
        if slot != self.last:
            self.last = slot
            self.slots.append(slot)


class ColumnAccumulator:
    """Flat arrays of one path's values. Slots come in ascending order, a slot's values one after another.

    Slot lists: ``filled`` has a value other than null and ``[]``; ``nulls`` has a null, ``trues`` and ``falses`` a
    boolean, ``others`` an object or an array, ``arrays_within`` an array among the elements.
    """

    def __init__(self) -> None:
        self._keywords = KeywordAccumulator()
        self._integers: NumberAccumulator[int] = NumberAccumulator("integers", "q")
        self._floats: NumberAccumulator[float] = NumberAccumulator("floats", "d")
        self._filled = _SlotList()
        self._nulls = _SlotList()
        self._trues = _SlotList()
        self._falses = _SlotList()
        self._others = _SlotList()
        self._arrays_within = _SlotList()

    @property
    def points(self) -> int:
        """How many slots have a value other than null and ``[]``."""
        return len(self._filled.slots)

    def add_bare(self, value: JsonItem, slot: int) -> None:
        """The path leads to a value that is no array."""
        if value is not None:
            self._filled.add(slot)
        self._add(value, slot)

    def add_array(self, values: list[JsonItem], slot: int) -> None:
        """The path leads to an array."""
        if values:
            self._filled.add(slot)
        for value in values:
            self._add(value, slot)

    def _add(self, value: JsonItem, slot: int) -> None:
        if isinstance(value, str):
            self._keywords.add(value, slot)
        elif isinstance(value, bool):
            (self._trues if value else self._falses).add(slot)
        elif isinstance(value, int):
            self._add_integer(value, slot)
        elif isinstance(value, float):
            self._floats.add(value, slot)
        elif value is None:
            self._nulls.add(slot)
        else:
            self._others.add(slot)
            if isinstance(value, list):
                self._arrays_within.add(slot)

    def _add_integer(self, value: int, slot: int) -> None:
        if INT64_MIN <= value <= INT64_MAX:
            self._integers.add(value, slot)
            return
        # Rounded: a reader takes no number of this size for exact.
        number = number_of(value)
        if number is not None:
            self._floats.add(number, slot)

    def finish(self, size: int) -> Sections:
        """The column's sections, of ``size`` slots, none that would be empty. Raises HashCollisionError."""
        sections: Sections = {}
        for part in (self._keywords, self._integers, self._floats):
            if len(part):
                sections.update(part.finish(size))
        sections.update(single_numbers(self._integers, self._floats, size))
        lists = {
            "filled": self._filled,
            "nulls": self._nulls,
            "trues": self._trues,
            "falses": self._falses,
            "others": self._others,
            "arrays_within": self._arrays_within,
        }
        for name, found in lists.items():
            if found.slots:
                sections.update(slot_sections(name, np.frombuffer(found.slots, np.uint32), size))
        return sections
