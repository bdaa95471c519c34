"""Tail: rows of a shard that are in no segment yet, append-only, in the order they were applied."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, repeat

import numpy as np
from numpy.typing import NDArray

from projector.vectors.kind import Vectors
from projector.vectors.registry import part_kind
from projector.view.growing import GrowingArray
from projector.view.part import ALIVE
from projector.view.stored_points import LeftOut, StoredPoints
from projector.view.tail_columns import TailColumns
from projector.view.tail_vectors import GrowingVectors
from projector.view.unpack import Unpacked, unpack_vectors
from schemas.config import CollectionConfig
from schemas.ids import PointId
from schemas.vectors.params import AnyVectorParams

_NO_ROW = -1


@dataclass(frozen=True, slots=True, eq=False)
class IdOrder:
    """The rows below ``bound`` sorted by id; rows of the same id in the order they came."""

    bound: int
    rows: list[int]
    array: NDArray[np.int64]


class Tail:
    """Rows of (id, stored point), their vectors in one growing matrix per name, and when each row died. What a matrix
    has of a point is not kept again.

    One thread writes. Readers hold bounds and array references taken by it (``TailPart``), and nothing below a
    bound changes but ``dead_at``, which goes once from ALIVE to an offset above that of every view that exists.
    """

    def __init__(self, config: CollectionConfig, points: StoredPoints | None = None) -> None:
        """``points``: of rows that are known already; the caller adds all else of them."""
        self.ids: list[PointId] = []
        self.points = StoredPoints() if points is None else points
        self.columns = TailColumns(self.points, config.payload_indexes)
        self._config = config
        self._params = _by_position(config)
        self._previous: list[int] = []
        self._latest: dict[PointId, int] = {}
        self._born_at: GrowingArray[np.uint64] = GrowingArray(np.uint64)
        self._dead_at: GrowingArray[np.uint64] = GrowingArray(np.uint64)
        self._vectors: dict[int, GrowingVectors] = {}
        self._order = IdOrder(0, [], np.empty(0, np.int64))

    @property
    def size(self) -> int:
        """How many rows there are, staged ones included."""
        return len(self.ids)

    def fills(self, first: int, rows: int, size: int) -> bool:
        """Whether there are as many rows as ``rows`` from ``first`` on, or as many bytes as ``size``."""
        return self.size - first >= rows or self.points.size_of(first, self.size) >= size

    def dead_at(self, bound: int) -> NDArray[np.uint64]:
        """uint64 [bound]: the offset at which each row was superseded or deleted, ALIVE if it was not."""
        return self._dead_at.rows(bound)

    @property
    def positions(self) -> Mapping[str, int]:
        """What the position of each vector name is in stored points."""
        return self._config.positions

    def reconfigure(self, config: CollectionConfig) -> None:
        """Use another configuration for the rows to come. What a position means never changes."""
        self._config = config
        self._params = _by_position(config)
        self.columns.indexes = config.payload_indexes

    def append(self, ids: Sequence[PointId], points: Sequence[bytes], offset: int) -> None:
        """Append rows that come with ``offset``; ids are distinct. Rows of the same ids from before stay as they are
        (``kill``).
        """
        first, count = self.size, len(ids)
        vectors = unpack_vectors(points)
        for position, unpacked in vectors.items():
            growing = self._vectors.get(position)
            if growing is None:
                params = self._params.get(position)
                if params is None:
                    continue
                growing = self._vectors[position] = GrowingVectors(part_kind(params).growing())
            growing.append(unpacked, first, count)
        self._born_at.fill(count, np.uint64(max(offset, 0)))
        self._dead_at.fill(count, ALIVE)
        self.points.extend(points, self._held_elsewhere(vectors))
        self._previous.extend(map(self._latest.get, ids, repeat(_NO_ROW)))
        self.ids.extend(ids)
        # Last, so that a reader who finds a row here finds everything about it.
        self._latest.update(zip(ids, range(first, first + count), strict=True))

    def _held_elsewhere(self, vectors: Mapping[int, Unpacked]) -> LeftOut:
        """What need not be kept of the points beside the matrices, if that is all their vectors."""
        found: list[tuple[int, int]] = []
        for position, unpacked in vectors.items():
            growing = self._vectors.get(position)
            if growing is None or not growing.storable or not unpacked.alike:
                return ()
            found.append((position, unpacked.stored.lengths[0]))
        return tuple(found)

    def ids_at(self, rows: NDArray[np.integer]) -> list[PointId]:
        """The ids of rows."""
        ids = self.ids
        numbers: list[int] = rows.tolist()
        return [ids[row] for row in numbers]

    def rows_up_to(self, offset: int) -> int:
        """How many rows came with ``offset`` or before; they are the first ones."""
        if offset < 0:
            return 0
        return int(np.searchsorted(self._born_at.all(), np.uint64(offset), "right"))

    def has_none_of(self, ids: Collection[PointId]) -> bool:
        """Whether no row has one of ``ids``."""
        return self._latest.keys().isdisjoint(ids)

    def latest(self, ids: Sequence[PointId]) -> NDArray[np.int64]:
        """The newest row of each id, dead or alive; -1 where there is none."""
        return np.array(list(map(self._latest.get, ids, repeat(_NO_ROW))), np.int64)

    def kill(self, rows: NDArray[np.int64], offset: int) -> int:
        """Let ``rows`` die at ``offset``, but for those that are dead already. Returns how many died."""
        dead_at = self._dead_at.all()
        dying = rows[dead_at[rows] == ALIVE]
        dead_at[dying] = offset
        return len(dying)

    def kill_one(self, row: int, offset: int) -> bool:
        """``kill`` of one row. Returns whether it was alive."""
        dead_at = self._dead_at.all()
        if dead_at[row] != ALIVE:
            return False
        dead_at[row] = offset
        return True

    def row_of(self, point_id: PointId, bound: int) -> int:
        """The newest row of an id below ``bound``, dead or alive, or -1."""
        row = self._latest.get(point_id, _NO_ROW)
        while row >= bound:
            row = self._previous[row]
        return row

    def vectors(self, bound: int) -> dict[str, Vectors]:
        """The vectors of the rows below ``bound``, by name; names without any are left out."""
        found: dict[str, Vectors] = {}
        for name, position in self._config.positions.items():
            growing = self._vectors.get(position)
            if growing is not None and (snapshot := growing.snapshot(bound)) is not None:
                found[name] = snapshot
        return found

    def id_order(self, bound: int) -> IdOrder:
        """The rows below ``bound`` by id. Extends the order of an earlier bound: sorting a sorted list is cheap."""
        known = self._order
        if known.bound == bound:
            return known
        if known.bound < bound:
            rows = known.rows + list(range(known.bound, bound))
            rows.sort(key=self.ids.__getitem__)
        else:
            rows = [row for row in known.rows if row < bound]
        ordered = IdOrder(bound, rows, np.array(rows, np.int64))
        if bound > known.bound:
            self._order = ordered
        return ordered

    def keep(self, rows: NDArray[np.int64]) -> "Tail":
        """A new tail of the given rows, ascending, with their deaths."""
        kept = Tail(self._config, self.points.keep(rows))
        # On the event loop, and of any number of rows: what takes time for each of them is done without Python's loops.
        chosen = np.zeros(self.size, np.bool_)
        chosen[rows] = True
        picked = chosen.tobytes()
        kept.ids.extend(compress(self.ids, picked))
        new_rows = np.full(self.size + 1, _NO_ROW, np.int64)  # the last is that of _NO_ROW
        new_rows[rows] = np.arange(len(rows))
        kept._previous = new_rows[np.fromiter(compress(self._previous, picked), np.int64, len(rows))].tolist()
        kept._latest = dict(zip(kept.ids, range(len(rows)), strict=True))
        kept._born_at.begin_with(self._born_at.all()[rows])
        kept._dead_at.begin_with(self._dead_at.all()[rows])
        for position, growing in self._vectors.items():
            if position in self._params:
                kept._vectors[position] = growing.keep(rows)
        return kept


def _by_position(config: CollectionConfig) -> dict[int, AnyVectorParams]:
    names = config.names
    return {position: names[name] for name, position in config.positions.items()}
