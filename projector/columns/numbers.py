"""Ordered values: (value, slot) pairs sorted by value, for equality and ranges over integers, floats, datetimes.

Sections of a column, for each of the three names that has any: ``<name>`` i64 or f64 ascending, ``<name>_slots`` u32.
And ``numbers`` f64 [slots], NaN for none, when there are many numbers and no slot has two of them.
"""

from array import array
from bisect import bisect_left, bisect_right
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from projector.columns.bitmaps import is_dense
from projector.columns.sections import Sections, SectionSource

ValueT = TypeVar("ValueT", int, float)
INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1


class NumberAccumulator(Generic[ValueT]):
    """Collects (value, slot) pairs; ``typecode`` is "q" for int64, "d" for float64."""

    def __init__(self, name: str, typecode: str) -> None:
        self._name = name
        self._dtype = np.dtype(np.int64 if typecode == "q" else np.float64)
        self._values: array[ValueT] = array(typecode)
        self._slots = array("I")

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, value: ValueT, slot: int) -> None:
        """Record a value."""
        self._values.append(value)
        self._slots.append(slot)

    def arrays(self) -> tuple[NDArray[np.generic], NDArray[np.uint32]]:
        """The values and their slots, in the order they came."""
        return np.frombuffer(self._values, self._dtype), np.frombuffer(self._slots, np.uint32)

    def finish(self, size: int) -> Sections:
        """The sections."""
        return ordered_pairs(self._name, *self.arrays())


def ordered_pairs(name: str, values: NDArray[np.generic], slots: NDArray[np.uint32]) -> Sections:
    """The sections of (value, slot) pairs whose slots are ascending."""
    order = np.argsort(values, kind="stable")
    return {name: values[order], f"{name}_slots": slots[order]}


def single_numbers(integers: NumberAccumulator[int], floats: NumberAccumulator[float], size: int) -> Sections:
    """Each slot's number as float64, NaN for none; no section when they are few or some slot has several."""
    count = len(integers) + len(floats)
    if not is_dense(count, size) or count > size:
        return {}
    numbers = np.full(size, np.nan)
    for values, slots in (integers.arrays(), floats.arrays()):
        numbers[slots] = values
    return {"numbers": numbers} if np.count_nonzero(~np.isnan(numbers)) == count else {}


class Numbers:
    """The reader of what NumberAccumulator wrote."""

    def __init__(self, source: SectionSource, name: str, dtype: type[np.int64] | type[np.float64]) -> None:
        self._values = source.array(name, dtype).data
        self.slots = source.array(f"{name}_slots", np.uint32)
        """uint32, the slots that have any such value; a slot stands there once for each."""

    def __len__(self) -> int:
        return len(self._values)

    def pairs(self) -> tuple[NDArray[Any], NDArray[np.uint32]]:
        """The values, ascending, and their slots; not to be written to."""
        return np.asarray(self._values), self.slots

    @property
    def extent(self) -> tuple[float, float]:
        """The least and the greatest value; (0, 0) when there is none."""
        return (self._values[0], self._values[-1]) if len(self._values) else (0, 0)

    def among(self, values: frozenset[str | int]) -> NDArray[np.bool_]:
        """Which of ``slots`` stand for a number in ``values``; looks at each number once, however many values."""
        return np.fromiter((number in values for number in self._values.tolist()), np.bool_, len(self._values))

    def equal(self, value: float) -> NDArray[np.uint32]:
        """The slots, ascending, that have this value."""
        return self.slots[bisect_left(self._values, value) : bisect_right(self._values, value)]

    def other(self, values: list[int]) -> list[NDArray[np.uint32]]:
        """The slots that have any value but these, as pieces."""
        pieces: list[NDArray[np.uint32]] = []
        start = 0
        for value in sorted(values):
            pieces.append(self.slots[start : bisect_left(self._values, value)])
            start = bisect_right(self._values, value)
        return [*pieces, self.slots[start:]]

    def between(self, lt: float | None, lte: float | None, gt: float | None, gte: float | None) -> NDArray[np.uint32]:
        """The slots that have a value within all bounds, in order of value; bounds of either type compare exactly."""
        start, stop = 0, len(self._values)
        if gt is not None:
            start = max(start, bisect_right(self._values, gt))
        if gte is not None:
            start = max(start, bisect_left(self._values, gte))
        if lt is not None:
            stop = min(stop, bisect_left(self._values, lt))
        if lte is not None:
            stop = min(stop, bisect_right(self._values, lte))
        return self.slots[start : max(start, stop)]
