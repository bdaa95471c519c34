"""What a filter selects among the rows of a tail: columns for whole blocks, the last few rows undecided."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from projector.columns.columns import Block, Columns
from projector.columns.select import VectorSlots, select
from projector.columns.selection import Selection, known
from projector.columns.slot_set import SlotSet
from projector.view.part import Part
from schemas.filters import Filter
from schemas.ids import PointId


def select_in_tail(part: Part, blocks: Sequence[Block], filter: Filter) -> Selection:
    """What the columns of ``blocks`` say about each row of a tail; right for those that are alive in this view."""
    selections = [(block.start, select(filter, _Rows(part, block))) for block in blocks]
    sure = SlotSet.join([(start, selection.sure) for start, selection in selections], part.size)
    at = blocks[-1].stop if blocks else 0
    if at == part.size and all(selection.exact for _, selection in selections):
        return known(sure)
    rest = (at, SlotSet.everything(part.size - at))
    return Selection(sure, SlotSet.join([*((start, s.possible) for start, s in selections), rest], part.size))


@dataclass(frozen=True, slots=True)
class _VectorRows:
    slots: NDArray[np.uint32] | None


class _Rows:
    """A block as something to select from (``projector.columns.select.Slotted``); slot 0 is its first row."""

    def __init__(self, part: Part, block: Block) -> None:
        self._part = part
        self._start = block.start
        self.columns: Columns = block.columns
        self.size = block.stop - block.start

    def having_id(self, ids: frozenset[PointId]) -> NDArray[np.integer]:
        """The rows of this block that have one of ``ids``; dead ones may be missing."""
        if len(ids) > self.size:
            own = self._part.ids_at(np.arange(self._start, self._start + self.size))
            return np.flatnonzero(np.fromiter((point_id in ids for point_id in own), np.bool_, self.size))
        rows = np.array([self._part.find(point_id) for point_id in ids], np.int64) - self._start
        return rows[(rows >= 0) & (rows < self.size)]

    def vectors(self, name: str) -> VectorSlots | None:
        """Which rows have a vector of this name."""
        vectors = self._part.vectors(name)
        if vectors is None or vectors.slots is None:
            return vectors
        first, last = np.searchsorted(vectors.slots, (self._start, self._start + self.size))
        return _VectorRows(vectors.slots[first:last] - np.uint32(self._start))
