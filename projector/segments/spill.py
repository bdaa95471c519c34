"""A spill: points as stored points in one flat file, on their way from a tail, or the state, into a segment.

Sections (docs/segment-files.md): ``points`` their bytes one after another, ``ends`` u64 [n + 1] offsets into them,
``is_uuid`` u8 [n], ``numbers`` u64 and ``uuids`` S16: the ids of either kind, in the order of the points.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from projector.segments.flat_file import FlatFile, FlatFileWriter, SectionWriter
from projector.segments.slot_ids import UUID_DTYPE, uuid_array
from projector.slices import slices
from schemas.ids import UUID_BASE, PointId
from schemas.points import VERSION_BYTES

SPILL_KIND = "spill"
_VECTOR = Struct("<BI")


class SpillWriter:
    """Appends points in any order; each id once. ``write_spill`` makes one."""

    def __init__(self, points: SectionWriter) -> None:
        self._points = points
        self._lengths: list[NDArray[np.uint64]] = [np.zeros(1, np.uint64)]
        self._is_uuid: list[NDArray[np.bool_]] = []
        self._numbers: list[NDArray[np.uint64]] = []
        self._uuids: list[NDArray[np.bytes_]] = []
        self.count = 0
        self.bytes = 0

    def add(self, ids: Sequence[PointId], points: Sequence[bytes]) -> None:
        """Append points: their ids and stored points. Others get the interpreter lock now and then."""
        for some in slices([len(point) for point in points]):
            lengths = np.fromiter(map(len, points[some]), np.uint64, some.stop - some.start)
            self.add_joined(ids[some], b"".join(points[some]), lengths)

    def add_joined(self, ids: Sequence[PointId], data: bytes, lengths: NDArray[np.integer]) -> None:
        """Append points that are one after another in ``data``; ``lengths``: of how many bytes each is."""
        self._points.write(data)
        self._lengths.append(lengths.astype(np.uint64, copy=False))
        self._is_uuid.append(np.fromiter((i >= UUID_BASE for i in ids), np.bool_, len(ids)))
        self._numbers.append(np.array([i for i in ids if i < UUID_BASE], np.uint64))
        self._uuids.append(uuid_array(i for i in ids if i >= UUID_BASE))
        self.count += len(ids)
        self.bytes += len(data)

    def finish(self, file: FlatFileWriter) -> None:
        """Write the other sections."""
        file.put("ends", np.cumsum(np.concatenate(self._lengths), dtype=np.uint64))
        file.put("is_uuid", np.concatenate([np.empty(0, np.bool_), *self._is_uuid]))
        file.put("numbers", np.concatenate([np.empty(0, np.uint64), *self._numbers]))
        file.put("uuids", np.concatenate([np.empty(0, UUID_DTYPE), *self._uuids]))
        file.finish(SPILL_KIND, {}, durable=False)


@contextmanager
def write_spill(path: Path) -> Generator[SpillWriter]:
    """Write a spill. It does not survive power loss, and need not: what it holds is in the state too."""
    with FlatFileWriter(path) as file:
        with file.section("points") as points:
            writer = SpillWriter(points)
            yield writer
        writer.finish(file)


@dataclass(frozen=True, slots=True)
class VectorPlaces:
    """Where the points' vectors at one position are, and how long: bytes, int64 [n] each; -1 where there is none."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are in a spill's points; ``payloads``: offsets in bytes, int64 [n]."""

    vectors: dict[int, VectorPlaces]
    payloads: NDArray[np.int64]


class Spill:
    """The reader. Rows are the points in the order they were added."""

    def __init__(self, path: Path) -> None:
        """Open a spill. Raises SegmentDamagedError."""
        file = FlatFile(path, SPILL_KIND)
        self.data = file.view("points")
        self.ends = file.array("ends", np.uint64)
        is_uuid = file.array("is_uuid", np.bool_)
        self.numbers = file.array("numbers", np.uint64)
        self.number_rows = np.flatnonzero(~is_uuid)
        self.uuids = file.array("uuids", UUID_DTYPE)
        self.uuid_rows = np.flatnonzero(is_uuid)
        self.size = len(is_uuid)

    def point(self, row: int) -> bytes:
        """The stored point of a row."""
        return bytes(self.data[int(self.ends[row]) : int(self.ends[row + 1])])

    def places(self) -> Places:
        """Where each point's vectors and payload are, by one pass over the points' heads."""
        vectors: dict[int, VectorPlaces] = {}
        payloads = np.empty(self.size, np.int64)
        ends = self.ends.data
        data = self.data
        for row in range(self.size):
            at = ends[row] + VERSION_BYTES
            count = data[at]
            at += 1
            for _ in range(count):
                position, length = _VECTOR.unpack_from(data, at)
                at += _VECTOR.size
                if position not in vectors:
                    vectors[position] = VectorPlaces(np.full(self.size, -1, np.int64), np.full(self.size, -1, np.int64))
                vectors[position].starts[row] = at
                vectors[position].lengths[row] = length
                at += length
            payloads[row] = at
        return Places(vectors, payloads)
