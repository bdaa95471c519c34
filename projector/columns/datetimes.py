"""Datetimes: strings that are some, in microseconds since 1970.

Sections of a column: ``datetimes`` with their slots (``ordered``).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.columns.ordered import Ordered, OrderedAccumulator
from projector.columns.sections import Sections, SectionSource
from projector.columns.selection import Selection, known
from projector.columns.slot_set import SlotSet
from schemas.datetimes import parse_datetime
from schemas.filters import DatetimeRange, ElementTest, IsOfType

_REMEMBERED = 1 << 12


class DatetimeAccumulator:
    """Collects strings that are datetimes."""

    def __init__(self) -> None:
        self._ordered: OrderedAccumulator[int] = OrderedAccumulator("datetimes", "q")
        self._parsed: dict[str, int | None] = {}

    def add(self, value: str, slot: int) -> None:
        """Record a string; slots come in ascending order."""
        first = value[:1]
        # A glance that spares most strings the parsing.
        if not (first.isdigit() or first.isspace()) or "-" not in value:
            return
        if value in self._parsed:
            moment = self._parsed[value]
        else:
            if len(self._parsed) == _REMEMBERED:
                self._parsed.clear()
            moment = self._parsed[value] = parse_datetime(value)
        if moment is not None:
            self._ordered.add(moment, slot)

    def finish(self, size: int) -> Sections:
        """The sections."""
        return self._ordered.finish(size)


class Datetimes:
    """The reader of what DatetimeAccumulator wrote."""

    tests = (DatetimeRange, IsOfType)

    def __init__(self, source: SectionSource, size: int) -> None:
        self._size = size
        self._ordered = Ordered(source, "datetimes", np.int64)

    def select(self, test: ElementTest) -> Selection:
        """The slots where a datetime passes."""
        match test:
            case DatetimeRange():
                pieces = [self._ordered.between(test)]
            case IsOfType(data_type="datetime"):
                pieces = [self._ordered.slots]
            case _:
                pieces = []
        return known(SlotSet.union(pieces, self._size))

    def ordered(self) -> tuple[NDArray[Any], NDArray[np.uint32]]:
        """The datetimes, ascending, and their slots."""
        return self._ordered.pairs()
