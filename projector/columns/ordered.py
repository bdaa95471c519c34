"""Ordered values: (value, slot) pairs sorted by value, for equality and ranges.

Sections of a column, for each name that has any: ``<name>`` i64 or f64 ascending, ``<name>_slots`` u32.
"""

from array import array
from bisect import bisect_left, bisect_right
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from projector.columns.sections import Sections, SectionSource

ValueT = TypeVar("ValueT", int, float)
INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1


class Bounds(Protocol):
    """What a value is to be within; None is no bound."""

    @property
    def lt(self) -> float | None: ...  # noqa: D102
    @property
    def lte(self) -> float | None: ...  # noqa: D102
    @property
    def gt(self) -> float | None: ...  # noqa: D102
    @property
    def gte(self) -> float | None: ...  # noqa: D102


class OrderedAccumulator(Generic[ValueT]):
    """Collects (value, slot) pairs; ``typecode`` is "q" for int64, "d" for float64."""

    def __init__(self, name: str, typecode: str) -> None:
        self._name = name
        self._dtype = np.dtype(np.int64 if typecode == "q" else np.float64)
        self._values: array[ValueT] = array(typecode)
        self._slots = array("I")

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, value: ValueT, slot: int) -> None:
        """Record a value; slots come in ascending order."""
        self._values.append(value)
        self._slots.append(slot)

    def arrays(self) -> tuple[NDArray[np.generic], NDArray[np.uint32]]:
        """The values and their slots, in the order they came."""
        return np.frombuffer(self._values, self._dtype), np.frombuffer(self._slots, np.uint32)

    def finish(self, size: int) -> Sections:
        """The sections, none when there are no values."""
        return ordered_pairs(self._name, *self.arrays()) if len(self) else {}


def ordered_pairs(name: str, values: NDArray[np.generic], slots: NDArray[np.uint32]) -> Sections:
    """The sections of (value, slot) pairs whose slots are ascending."""
    order = np.argsort(values, kind="stable")
    return {name: values[order], f"{name}_slots": slots[order]}


class Ordered:
    """The reader of what OrderedAccumulator wrote."""

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

    def span(self, bounds: Bounds) -> slice:
        """Which of the pairs are within all bounds; bounds of either type compare exactly."""
        start, stop = 0, len(self._values)
        if bounds.gt is not None:
            start = max(start, bisect_right(self._values, bounds.gt))
        if bounds.gte is not None:
            start = max(start, bisect_left(self._values, bounds.gte))
        if bounds.lt is not None:
            stop = min(stop, bisect_left(self._values, bounds.lt))
        if bounds.lte is not None:
            stop = min(stop, bisect_right(self._values, bounds.lte))
        return slice(start, max(start, stop))

    def between(self, bounds: Bounds) -> NDArray[np.uint32]:
        """The slots that have a value within all bounds, in order of value."""
        return self.slots[self.span(bounds)]
