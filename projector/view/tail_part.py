"""TailPart: the tail as one view sees it."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from projector.columns.columns import Block
from projector.columns.selection import Selection
from projector.segments.graph import Graph
from projector.vectors.kind import Vectors
from projector.view.stored_points import JoinedPoints
from projector.view.tail import IdOrder, Tail
from projector.view.tail_select import select_in_tail
from schemas.filters import Filter
from schemas.ids import PointId
from schemas.payload_index import PayloadIndexes


class TailPart:
    """The first ``size`` rows of a tail at an offset; a row is alive when it died after that. Slots are rows."""

    def __init__(
        self, tail: Tail, size: int, offset: int, alive_count: int, indexes: PayloadIndexes | None = None
    ) -> None:
        self.indexes: PayloadIndexes = indexes or {}
        self.tail = tail
        self.size = size
        self.offset = offset
        self.alive_count = alive_count
        self.dead_at = tail.dead_at(size)
        self._at = np.uint64(max(offset, 0))
        self._vectors: Mapping[str, Vectors] = tail.vectors(size)
        self._positions = tail.positions
        self._alive: NDArray[np.bool_] | None = None
        self._dead: NDArray[np.integer] | None = None
        self._order: IdOrder | None = None

    @property
    def name(self) -> str:
        """``tail``."""
        return "tail"

    @property
    def rows(self) -> "TailPart":
        """Itself: a tail grows."""
        return self

    def live_points(self) -> Iterator[JoinedPoints]:
        """The stored points of the alive rows, in the order they were applied, in slices. Vectors may be normalised
        already, and those of names that are gone be left out.
        """
        vectors = {at: held for name, at in self._positions.items() if (held := self._vectors.get(name)) is not None}
        return self.tail.points.joined(np.flatnonzero(self.alive_mask()), vectors)

    def alive_mask(self) -> NDArray[np.bool_]:
        """The mask of alive slots, bool [size], read-only."""
        if self._alive is None:
            alive = self.dead_at > self._at
            alive.flags.writeable = False
            self._alive = alive
        return self._alive

    def dead_slots(self) -> NDArray[np.integer]:
        """The slots that are dead."""
        if self._dead is None:
            self._dead = np.flatnonzero(~self.alive_mask())
        return self._dead

    def alive(self, slots: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of ``slots`` are alive."""
        return self.dead_at[slots] > self._at

    def find(self, point_id: PointId) -> int:
        """The row where the point is alive, or -1."""
        row = self.tail.row_of(point_id, self.size)
        return row if row >= 0 and self.dead_at[row] > self._at else -1

    def id_at(self, slot: int) -> PointId:
        """The id of a row."""
        return self.tail.ids[slot]

    def ids_at(self, slots: NDArray[np.integer]) -> Sequence[PointId]:
        """The ids of many rows."""
        return self.tail.ids_at(slots)

    def payload_at(self, slot: int) -> bytes:
        """The payload of a row."""
        return self.tail.points.payload(slot)

    def payload_size_at(self, slot: int) -> int:
        """About how many bytes the payload of a row has: its vectors are counted in."""
        return self.tail.points.size_of(slot, slot + 1)

    def version_at(self, slot: int) -> int:
        """The version of a row's point."""
        return self.tail.points.version(slot)

    def vectors(self, name: str) -> Vectors | None:
        """One name's vectors."""
        return self._vectors.get(name)

    @property
    def vector_names(self) -> Sequence[str]:
        """The names of which any row has a vector."""
        return list(self._vectors)

    def graph(self, name: str) -> Graph | None:
        """None: a tail is searched exactly."""
        return None

    def select(self, filter: Filter) -> Selection:
        """What columns say about a filter; the newest rows, which have none yet, are undecided."""
        return select_in_tail(self, self.tail.columns.blocks(self.size), filter)

    def column_blocks(self) -> Sequence[Block]:
        """The blocks that have columns."""
        return self.tail.columns.blocks(self.size)

    def unread_rows(self) -> int:
        """How many payloads ``select`` would have to decode first."""
        return self.tail.columns.unbuilt_rows(self.size)

    def pieces(self) -> int:
        """How many blocks of columns there are."""
        return self.tail.columns.count(self.size)

    @property
    def in_id_order(self) -> bool:
        """They are in the order in which they were applied."""
        return False

    def id_order(self) -> NDArray[np.integer] | None:
        """The rows in id order."""
        return self._ordered().array

    def lower_bound(self, point_id: PointId) -> int:
        """The place in ``id_order`` of the first id that is not below ``point_id``."""
        return bisect_left(self._ordered().rows, point_id, key=self.tail.ids.__getitem__)

    def _ordered(self) -> IdOrder:
        if self._order is None:
            self._order = self.tail.id_order(self.size)
        return self._order
