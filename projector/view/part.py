"""What segments and tails have in common for a reader: rows, some of them dead, with ids, payloads and vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from projector.columns.columns import Block
from projector.columns.selection import Selection
from projector.columns.slot_set import SlotSet
from projector.segments.graph import Graph
from projector.vectors.kind import Vectors
from schemas.filters import Filter
from schemas.ids import PointId
from schemas.payload_index import PayloadIndexes

ALIVE = np.uint64(2**64 - 1)
"""The ``dead_at`` of a row that nothing has superseded or deleted."""

FEW_DEAD = 16
"""Of so many slots one may be dead: to go to it takes as long as to look at all of them in order."""


def died_since(dead_at: NDArray[np.uint64], offset: int) -> NDArray[np.int64]:
    """The slots that died after ``offset``, ascending; ``dead_at``: when each did, uint64 [slots]."""
    return np.flatnonzero((dead_at > np.uint64(max(offset, 0))) & (dead_at != ALIVE))


class Part(Protocol):
    """A segment or the tail as one view sees it. Slots count from 0; dead ones are included."""

    @property
    def name(self) -> str:
        """The segment's, or ``tail``."""
        ...

    @property
    def size(self) -> int:
        """The number of slots."""
        ...

    @property
    def alive_count(self) -> int:
        """How many of them are alive."""
        ...

    @property
    def offset(self) -> int:
        """The view's: what died after it is alive."""
        ...

    @property
    def dead_at(self) -> NDArray[np.uint64]:
        """When each slot died, uint64 [size]: those of later deaths are alive. Changes where more die."""
        ...

    @property
    def rows(self) -> object:
        """What stays the same while its points die, and may be looked into ahead of that: a segment, or this part."""
        ...

    @property
    def indexes(self) -> PayloadIndexes:
        """The payload indexes that are declared at the view's offset: they say what a filter means."""
        ...

    def alive_mask(self) -> NDArray[np.bool_]:
        """The mask of alive slots, bool [size], read-only, computed once per part."""
        ...

    def dead_slots(self) -> NDArray[np.integer]:
        """The slots that are dead, in any order; not to be written to."""
        ...

    def alive(self, slots: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of ``slots`` are alive, without computing the whole mask."""
        ...

    def find(self, point_id: PointId) -> int:
        """The slot where the point is alive, -1 where there is none."""
        ...

    def id_at(self, slot: int) -> PointId:
        """The id in a slot."""
        ...

    def ids_at(self, slots: NDArray[np.integer]) -> Sequence[PointId]:
        """The ids in many slots."""
        ...

    def payload_at(self, slot: int) -> bytes:
        """The payload, a JSON object as UTF-8; empty when there is none."""
        ...

    def payload_size_at(self, slot: int) -> int:
        """How many bytes the payload has at most."""
        ...

    def version_at(self, slot: int) -> int:
        """The version of the point in a slot."""
        ...

    def vectors(self, name: str) -> Vectors | None:
        """One name's vectors, None when no slot has one."""
        ...

    @property
    def vector_names(self) -> Sequence[str]:
        """The names of which any slot has a vector."""
        ...

    def graph(self, name: str) -> Graph | None:
        """The graph over one name's vectors; its labels are their rows."""
        ...

    def select(self, filter: Filter) -> Selection:
        """What the columns say about a filter, slot by slot, dead ones included."""
        ...

    def column_blocks(self) -> Sequence[Block]:
        """The payload columns of slots from 0 on without a gap; the newest slots of a tail have none."""
        ...

    def unread_rows(self) -> int:
        """How many payloads ``select`` would have to decode first."""
        ...

    def pieces(self) -> int:
        """In how many pieces ``select`` goes through the slots; each takes every condition of a filter anew."""
        ...

    @property
    def in_id_order(self) -> bool:
        """Whether slots are in id order as they are."""
        ...

    def id_order(self) -> NDArray[np.integer] | None:
        """The slots in id order, dead ones included; None when slots are in id order as they are."""
        ...

    def lower_bound(self, point_id: PointId) -> int:
        """The place in ``id_order`` of the first id that is not below ``point_id``."""
        ...


def has_few_dead(part: Part) -> bool:
    """Whether going through what is dead takes less than going through all slots."""
    return (part.size - part.alive_count) * FEW_DEAD <= part.size


def alive(part: Part, slots: SlotSet) -> SlotSet:
    """Those of some slots that are alive."""
    if part.alive_count == part.size:
        return slots
    if slots.is_list:
        return slots.only(part.alive(slots.slots()))
    if has_few_dead(part):
        return slots.without(part.dead_slots())
    return SlotSet.of_mask(slots.mask() & part.alive_mask())


def row_of(vectors: Vectors, slot: int) -> int:
    """The row of one slot, -1 when it has no such vector."""
    present = vectors.slots
    if present is None:
        return slot
    row = int(np.searchsorted(present, slot))
    return row if row < len(present) and present[row] == slot else -1


def dead_rows(part: Part, vectors: Vectors) -> int:
    """How many of the vectors are those of dead slots, of which there may be few."""
    dead, present = part.dead_slots(), vectors.slots
    if present is None or not len(dead) or not len(present):
        return len(dead) if present is None else 0
    places = np.minimum(present.searchsorted(dead.astype(present.dtype, copy=False)), len(present) - 1)
    return int(np.count_nonzero(present[places] == dead))


def slots_of_rows(vectors: Vectors, rows: NDArray[np.integer]) -> NDArray[np.int64]:
    """The slots whose vectors are in ``rows``."""
    present = vectors.slots
    return (rows if present is None else present[rows]).astype(np.int64, copy=False)
