"""What segments are built from, as one thing: rows with ids, versions, payloads and vectors."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from projector.segments.reader import Segment
from projector.segments.spec import unpack_mask
from projector.segments.spill import Spill
from projector.vectors.kind import Stored, Vectors
from projector.vectors.registry import part_kind
from schemas.config import CollectionConfig
from schemas.points import VERSION_BYTES

Rows = NDArray[np.int64]


class Source(Protocol):
    """Rows of points. Only those named by ``number_rows`` and ``uuid_rows`` go into the new segment."""

    numbers: NDArray[np.uint64]
    number_rows: Rows
    uuids: NDArray[np.bytes_]
    uuid_rows: Rows

    def versions(self, rows: Rows) -> NDArray[np.uint64]:
        """The versions, uint64 [len(rows)]."""
        ...

    def payload(self, row: int) -> bytes:
        """The payload's JSON, empty when there is none."""
        ...

    def has_vector(self, name: str, rows: Rows) -> NDArray[np.bool_]:
        """Which rows have a vector of this name."""
        ...

    def take_vectors(self, name: str, rows: Rows) -> Vectors:
        """The vectors of rows that have one, as a block of their kind."""
        ...


class SpillSource:
    """The points of a spill."""

    def __init__(self, path: Path, config: CollectionConfig) -> None:
        """Raises SegmentDamagedError."""
        spill = self._spill = Spill(path)
        self.numbers, self.number_rows = spill.numbers, spill.number_rows
        self.uuids, self.uuid_rows = spill.uuids, spill.uuid_rows
        self._kinds = {name: part_kind(params) for name, params in config.names.items()}
        places = spill.places()
        self._payloads = places.payloads.data
        found = ((name, places.vectors.get(position)) for name, position in config.positions.items())
        self._places = {name: at for name, at in found if at is not None}

    def versions(self, rows: Rows) -> NDArray[np.uint64]:
        """The versions."""
        starts: list[int] = self._spill.ends[rows].tolist()
        data = self._spill.data
        return np.frombuffer(b"".join(data[at : at + VERSION_BYTES] for at in starts), np.uint64)

    def payload(self, row: int) -> bytes:
        """The payload."""
        return bytes(self._spill.data[self._payloads[row] : int(self._spill.ends[row + 1])])

    def has_vector(self, name: str, rows: Rows) -> NDArray[np.bool_]:
        """Which rows have a vector of this name."""
        places = self._places.get(name)
        return np.zeros(len(rows), np.bool_) if places is None else places.starts[rows] >= 0

    def take_vectors(self, name: str, rows: Rows) -> Vectors:
        """The vectors."""
        places = self._places[name]
        starts: list[int] = places.starts[rows].tolist()
        lengths: list[int] = places.lengths[rows].tolist()
        data = self._spill.data
        joined = b"".join(data[at : at + length] for at, length in zip(starts, lengths, strict=True))
        return self._kinds[name].block(Stored(joined, lengths))


class SegmentSource:
    """The slots of a segment that are not dead."""

    def __init__(self, folder: Path, dead: bytes | None, config: CollectionConfig, *, graphs: bool = False) -> None:
        """``dead``: a packed mask; None: no slot is. Vectors of names that ``config`` no longer has are left out.

        Raises SegmentDamagedError, after reading everything, graphs where they are asked for.
        """
        segment = self.segment = Segment.open(folder)
        segment.check(graphs=graphs)
        alive = np.ones(segment.size, np.bool_) if dead is None else ~unpack_mask(dead, segment.size)
        count = len(segment.numbers)
        self.number_rows = np.flatnonzero(alive[:count])
        self.numbers = segment.numbers[self.number_rows]
        uuid_places = np.flatnonzero(alive[count:])
        self.uuid_rows = uuid_places + count
        self.uuids = segment.uuids[uuid_places]
        kept = [name for name, position in config.positions.items() if segment.positions.get(name) == position]
        self._kinds = {name: part_kind(config.names[name]) for name in kept}
        self._rows = {name: self._row_table(name) for name in kept}

    def versions(self, rows: Rows) -> NDArray[np.uint64]:
        """The versions."""
        return self.segment.versions[rows]

    def payload(self, row: int) -> bytes:
        """The payload."""
        return self.segment.payload_at(row)

    def has_vector(self, name: str, rows: Rows) -> NDArray[np.bool_]:
        """Which rows have a vector of this name."""
        if name not in self._rows:
            return np.zeros(len(rows), np.bool_)
        table = self._rows[name]
        return np.ones(len(rows), np.bool_) if table is None else table[rows] >= 0

    def take_vectors(self, name: str, rows: Rows) -> Vectors:
        """The vectors."""
        table = self._rows[name]
        places = rows if table is None else table[rows].astype(np.int64)
        return self._kinds[name].take(self.segment.vectors(name), places)

    def _row_table(self, name: str) -> NDArray[np.int32] | None:
        """From slot to row of the vector file, -1 for none; None when they are the same."""
        vectors = self.segment.vectors(name)
        if vectors is None or vectors.slots is None:
            return None
        table = np.full(self.segment.size, -1, np.int32)
        table[vectors.slots] = np.arange(len(vectors.slots), dtype=np.int32)
        return table
