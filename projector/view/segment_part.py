"""SegmentPart: a segment as one view sees it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from projector.columns.columns import Block, Columns
from projector.columns.select import select
from projector.columns.selection import Selection
from projector.segments.graph import Graph
from projector.segments.reader import Segment
from projector.segments.slot_ids import uuid_array
from projector.vectors.kind import Vectors
from schemas.config import CollectionConfig
from schemas.filters import Filter
from schemas.ids import UUID_BASE, PointId
from schemas.payload_index import PayloadIndexes


class SegmentPart:
    """A segment at an offset: ``dead_at``, uint64 [size], says when each slot died; later deaths do not count."""

    def __init__(
        self,
        segment: Segment,
        config: CollectionConfig,
        dead_at: NDArray[np.uint64],
        offset: int,
        alive_count: int | None = None,
        dead: NDArray[np.uint32] | None = None,
    ) -> None:
        """``config``: the view's; ``alive_count`` and ``dead``, the slots that are, are found when None."""
        self.indexes: PayloadIndexes = config.payload_indexes
        self.segment = segment
        self._positions = config.positions
        self.dead_at = dead_at
        self.size = segment.size
        self._versions = segment.versions.data
        self._ids = segment.slot_ids
        self.offset = offset
        self._at = np.uint64(max(offset, 0))
        self._alive: NDArray[np.bool_] | None = None
        self._dead: NDArray[np.integer] | None = dead
        self.alive_count = int(np.count_nonzero(self.alive_mask())) if alive_count is None else alive_count

    @property
    def name(self) -> str:
        """The segment's."""
        return self.segment.name

    @property
    def rows(self) -> Segment:
        """The segment."""
        return self.segment

    def alive_mask(self) -> NDArray[np.bool_]:
        """The mask of alive slots, bool [size], read-only."""
        if self._alive is None:
            alive = self.dead_at > self._at
            alive.flags.writeable = False
            self._alive = alive
        return self._alive

    def dead_mask(self) -> NDArray[np.bool_]:
        """The opposite of ``alive_mask``."""
        return ~self.alive_mask()

    def dead_slots(self) -> NDArray[np.integer]:
        """The slots that are dead, in any order."""
        if self._dead is None:
            self._dead = np.flatnonzero(self.dead_mask())
        return self._dead

    def alive(self, slots: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of ``slots`` are alive."""
        return self.dead_at[slots] > self._at

    def find(self, point_id: PointId) -> int:
        """The slot where the point is alive, or -1."""
        slot = self.segment.slot_of(point_id)
        return slot if slot >= 0 and self.dead_at[slot] > self._at else -1

    def id_at(self, slot: int) -> PointId:
        """The id in a slot."""
        return self._ids.id_at(slot)

    def ids_at(self, slots: NDArray[np.integer]) -> Sequence[PointId]:
        """The ids in many slots."""
        return self._ids.ids_at(slots)

    def payload_at(self, slot: int) -> bytes:
        """The payload in a slot."""
        return self.segment.payload_at(slot)

    def payload_size_at(self, slot: int) -> int:
        """How many bytes the payload in a slot has."""
        return self.segment.payload_size_at(slot)

    def version_at(self, slot: int) -> int:
        """The version of the point in a slot."""
        return self._versions[slot]

    def vectors(self, name: str) -> Vectors | None:
        """One name's vectors."""
        return self.segment.vectors(name) if self._has(name) else None

    def _has(self, name: str) -> bool:
        """Whether the segment's vectors of this name are those that the view means: not those of one deleted since."""
        return self.segment.positions.get(name) == self._positions.get(name)

    @property
    def vector_names(self) -> Sequence[str]:
        """The names of which any slot has a vector."""
        return [name for name in self._positions if self._has(name) and self.segment.vectors(name) is not None]

    def graph(self, name: str) -> Graph | None:
        """The graph over one name's vectors."""
        return self.segment.graph(name) if self._has(name) else None

    def select(self, filter: Filter) -> Selection:
        """What the columns say about a filter."""
        return select(filter, self)

    def column_blocks(self) -> Sequence[Block]:
        """All slots as one block."""
        return [Block(0, self.size, self.columns)]

    @property
    def columns(self) -> Columns:
        """The segment's payload columns."""
        return self.segment.columns

    def having_id(self, ids: frozenset[PointId]) -> NDArray[np.integer]:
        """The slots that have one of ``ids``, in any order."""
        return self.segment.having_id(ids)

    def unread_rows(self) -> int:
        """How many payloads ``select`` would have to decode first: a segment comes with its columns."""
        return 0

    def pieces(self) -> int:
        """One: the columns are of the whole segment."""
        return 1

    @property
    def in_id_order(self) -> bool:
        """They are."""
        return True

    def id_order(self) -> NDArray[np.integer] | None:
        """None: slots are in id order."""
        return None

    def lower_bound(self, point_id: PointId) -> int:
        """The first slot whose id is not below ``point_id``."""
        if point_id < UUID_BASE:
            return int(np.searchsorted(self.segment.numbers, np.uint64(point_id)))
        return len(self.segment.numbers) + int(np.searchsorted(self.segment.uuids, uuid_array([point_id]))[0])
