"""Values that have any number of items each: the items one after another, and where each value's end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile, FlatFileWriter
from projector.vectors.kind import Rows, Slots, Stored
from projector.view.growing import GrowingArray
from schemas.vectors.ragged import take_items

Items = NDArray[Any]
Ends = NDArray[np.int64]
"""int64 [rows + 1]: where each value's items begin, and where the last one's end."""


@dataclass(frozen=True, eq=False)
class Ragged:
    """``items``: the values' items, along the first axis; ``slots`` as in ``Vectors``."""

    items: Items
    ends: Ends
    slots: Slots | None

    @property
    def rows(self) -> int:
        """How many slots have one."""
        return len(self.ends) - 1

    @property
    def storable(self) -> None:
        """None: values differ in length."""
        return

    def value(self, row: int) -> Items:
        """One value's items."""
        return self.items[self.ends[row] : self.ends[row + 1]]

    def take(self, rows: Rows) -> "Ragged":
        """Some of them, as a block."""
        return Ragged(take_items(self.items, self.ends, rows), ends_after(np.diff(self.ends)[rows]), None)


def ends_after(lengths: NDArray[np.int64]) -> Ends:
    """Ends of values of these lengths."""
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    return ends


def ragged_block(stored: Stored, width: int, items: Callable[[bytes], Items]) -> Ragged:
    """Values of stored points; an item takes ``width`` bytes there."""
    lengths = np.fromiter(stored.lengths, np.int64, len(stored.lengths)) // width
    return Ragged(items(stored.data), ends_after(lengths), None)


def joined(blocks: Sequence[Ragged]) -> Ragged:
    """Blocks one after another."""
    items = np.concatenate([block.items for block in blocks])
    return Ragged(items, ends_after(np.concatenate([np.diff(block.ends) for block in blocks])), None)


def write_ragged(file: FlatFileWriter, number: int, blocks: Iterator[Ragged]) -> Ends:
    """Write ``vectors.<number>``, the items, and ``ends.<number>``; gives the ends."""
    lengths: list[NDArray[np.int64]] = []
    with file.section(f"vectors.{number}") as section:
        for block in blocks:
            section.write(block.items)
            lengths.append(np.diff(block.ends))
    ends = ends_after(np.concatenate([np.empty(0, np.int64), *lengths]))
    file.put(f"ends.{number}", ends)
    return ends


def open_ends(file: FlatFile, number: int, rows: int, items: int) -> Ends:
    """Read ``ends.<number>``. Raises SegmentDamagedError when they are not those of so many values and items."""
    ends = file.array(f"ends.{number}", np.int64)
    if len(ends) != rows + 1 or ends[0] != 0 or ends[-1] != items or (np.diff(ends) < 0).any():
        raise SegmentDamagedError(f"{file.path}: the values of vectors.{number} do not end where they should")
    return ends


class GrowingRagged:
    """Growing items and ends."""

    def __init__(self, items: GrowingArray[Any], block: Callable[[Stored], Ragged]) -> None:
        """``items``: an empty array of their type; ``block`` reads stored values."""
        self._items = items
        self._block = block
        self._ends: GrowingArray[np.int64] = GrowingArray(np.int64)
        self._ends.fill(1, np.int64(0))

    def extend(self, stored: Stored) -> None:
        """Append values."""
        self._append(self._block(stored))

    def _append(self, block: Ragged) -> None:
        self._ends.extend(block.ends[1:] + self._items.size)
        self._items.extend(block.items)

    def ragged(self, rows: int, slots: Slots | None) -> Ragged:
        """The first ``rows`` values."""
        ends = self._ends.rows(rows + 1)
        return Ragged(self._items.rows(int(ends[-1])), ends, slots)

    def taken(self, rows: Rows, items: GrowingArray[Any]) -> "GrowingRagged":
        """A copy of some of them, in ``items``."""
        copy = GrowingRagged(items, self._block)
        copy._append(self.ragged(self._ends.size - 1, None).take(rows))
        return copy
