"""What one payload key path has at every slot, collected while payloads stream by."""

from array import array

import numpy as np

from projector.columns.keywords import KeywordAccumulator
from projector.columns.numbers import INT64_MAX, INT64_MIN, NumberAccumulator
from projector.columns.sections import Sections
from schemas.datetimes import parse_datetime
from schemas.matching.values import number_of

Scalar = str | int | float | bool | None
_SLOT_LISTS = ("trues", "falses", "nulls", "filled", "others", "arrays_within")


class ColumnAccumulator:
    """Flat arrays of one path's values. Slots come in ascending order, a slot's values one after another."""

    def __init__(self) -> None:
        self.points = 0
        """How many slots have the path."""
        self.bare_values = False
        """Whether the path leads to a value that is no array, at some slot."""
        self._last = -1
        self._keywords = KeywordAccumulator()
        self._integers: NumberAccumulator[int] = NumberAccumulator("integers", "q")
        self._floats: NumberAccumulator[float] = NumberAccumulator("floats", "d")
        self._datetimes: NumberAccumulator[int] = NumberAccumulator("datetimes", "q")
        self._lists = {name: array("I") for name in _SLOT_LISTS}

    def seen(self, slot: int) -> None:
        """The path leads to some value at this slot."""
        if slot != self._last:
            self._last = slot
            self.points += 1

    def mark(self, name: str, slot: int) -> None:
        """Put a slot, once, onto one of the slot lists."""
        slots = self._lists[name]
        if not slots or slots[-1] != slot:
            slots.append(slot)

    def add(self, value: Scalar, slot: int) -> None:
        """Record an element that is no object and no array."""
        if isinstance(value, str):
            self._keywords.add(value, slot)
            moment = _datetime(value)
            if moment is not None:
                self._datetimes.add(moment, slot)
        elif isinstance(value, bool):
            self.mark("trues" if value else "falses", slot)
        elif isinstance(value, float):
            self._floats.add(value, slot)
        elif value is None:
            self.mark("nulls", slot)
        elif INT64_MIN <= value <= INT64_MAX:
            self._integers.add(value, slot)
        else:
            # No filter can name such an integer; ranges compare it as float64, and so it is one here.
            number = number_of(value)
            if number is not None:
                self._floats.add(number, slot)

    def finish(self) -> Sections:
        """The column's sections, none that would be empty. Raises HashCollisionError."""
        sections: Sections = {}
        for part in (self._keywords, self._integers, self._floats, self._datetimes):
            if len(part):
                sections.update(part.finish())
        for name, slots in self._lists.items():
            if slots:
                sections[name] = np.frombuffer(slots, np.uint32)
        return sections


def _datetime(text: str) -> int | None:
    """Like parse_datetime, after a glance that spares most strings the parsing."""
    first = text[:1]
    if not (first.isdigit() or first.isspace()) or "-" not in text:
        return None
    return parse_datetime(text)
