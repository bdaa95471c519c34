"""StoredPoints: many stored points in one run of bytes, as a tail has them.

Of an object for each, hundreds of bytes large, the interpreter's allocator would keep the memory: it gives back only
what nothing at all is left in, and among tens of thousands of points there are always a few objects that stay. After
loading 200,000 points of 100 dimensions 20 MB were kept so. Runs of a batch each lay between blocks that come and go:
by the end of the load 45 MB were free between them.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.kernel import with_rows, without_middle
from projector.slices import slices
from projector.vectors.kind import Vectors
from projector.view.growing import GrowingArray
from schemas.points import VECTOR_HEAD_BYTES, VERSION_BYTES, begin_vector, decode_point, point_version

LeftOut = tuple[tuple[int, int], ...]
"""Vectors, in order: the positions of their names, and of how many bytes each is. Of points that have just these it is
known what lies between version and payload, if only the vectors' values are kept elsewhere."""


class JoinedPoints(NamedTuple):
    """Points one after another; ``rows``: which ones, ``lengths``: of how many bytes, int64 each."""

    rows: NDArray[np.int64]
    data: bytes
    lengths: NDArray[np.int64]


class StoredPoints:
    """Stored points by row, appended at the end. One thread appends, others may read what was there before.

    Of points that come with the vectors of the first that left some out, the vectors are left out, too: whoever wants
    the points as they were gives these again.
    """

    def __init__(self) -> None:
        self._kept: GrowingArray[np.uint8] = GrowingArray(np.uint8)
        self._left_out: LeftOut = ()
        # Nobody may hold a buffer of these: they could not grow meanwhile.
        self._ends = array("q", [0])
        """Where each point ends, nothing being left out."""
        self._kept_ends = array("q", [0])
        """Where what is kept of each ends."""

    def __len__(self) -> int:
        return len(self._ends) - 1

    def size_of(self, start: int, stop: int) -> int:
        """How many bytes the rows from ``start`` up to ``stop`` have, with what is left out of them."""
        return self._ends[stop] - self._ends[start]

    @property
    def kept_bytes(self) -> int:
        """How many bytes all rows have without what is left out of them."""
        return self._kept.size

    def version(self, row: int) -> int:
        """A point's version."""
        return point_version(self._kept_of(row))

    def payload(self, row: int) -> bytes:
        """A point's payload."""
        kept = self._kept_of(row)
        if len(kept) < self.size_of(row, row + 1):
            return kept[VERSION_BYTES:]
        return decode_point(kept).payload

    def extend(self, points: Sequence[bytes], vectors: LeftOut = ()) -> None:
        """Append some; ``vectors``: those that all of them have, if the values are kept elsewhere."""
        self._left_out = self._left_out or vectors
        size = _size_of(vectors) if vectors and vectors == self._left_out else 0
        kept = without_middle(list(points), VERSION_BYTES, VERSION_BYTES + size) if size else b"".join(points)
        self._kept.extend(np.frombuffer(kept, np.uint8))
        lengths = list(map(len, points))
        _extend_ends(self._kept_ends, [length - size for length in lengths])
        _extend_ends(self._ends, lengths)

    def keep(self, rows: NDArray[np.int64]) -> "StoredPoints":
        """A copy of some, ascending, each once."""
        kept = StoredPoints()
        kept._left_out = self._left_out
        starts, ends = _starts_and_ends(self._kept_ends, rows)
        kept._kept.begin_with(np.frombuffer(bytearray().join(self._pieces(starts, ends)), np.uint8))
        kept._kept_ends.frombytes(np.cumsum(ends - starts).tobytes())
        starts, ends = _starts_and_ends(self._ends, rows)
        kept._ends.frombytes(np.cumsum(ends - starts).tobytes())
        return kept

    def joined(self, rows: NDArray[np.int64], vectors: Mapping[int, Vectors]) -> Iterator[JoinedPoints]:
        """Some rows, ascending, each once: slices of few points and few bytes (``projector.slices``), in order.

        ``vectors``, by position, are put in again where they were left out; slots are rows. A position that is missing
        here is missing in the points.
        """
        starts, ends = _starts_and_ends(self._ends, rows)
        lengths = ends - starts
        starts, ends = _starts_and_ends(self._kept_ends, rows)
        for some in slices(lengths.tolist()):
            kept = JoinedPoints(rows[some], b"".join(self._pieces(starts[some], ends[some])), ends[some] - starts[some])
            bare = kept.lengths < lengths[some]
            yield self._whole(kept, bare, vectors) if bare.any() else kept

    def _whole(self, kept: JoinedPoints, bare: NDArray[np.bool_], vectors: Mapping[int, Vectors]) -> JoinedPoints:
        """The points as they were, ``bare`` being those that lack their vectors."""
        there = [(position, length) for position, length in self._left_out if position in vectors]
        before = [begin_vector(position, length) for position, length in there]
        count = bytes([len(there)])
        values: list[NDArray[Any]] = []
        places: list[NDArray[np.int64]] = []
        for position, _ in there:
            held = vectors[position]
            assert held.storable is not None, "others are not left out"
            values.append(held.storable)
            places.append(kept.rows if held.slots is None else np.searchsorted(held.slots, kept.rows))
        data = with_rows(kept.data, kept.lengths, bare, VERSION_BYTES, count, before, values, places)
        return JoinedPoints(kept.rows, data, kept.lengths + bare * np.int64(_size_of(there)))

    def _kept_of(self, row: int) -> bytes:
        """Raises IndexError where there is no such row."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        end = self._kept_ends[row + 1]
        return self._kept.rows(end)[self._kept_ends[row] :].tobytes()

    def _pieces(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Iterator[memoryview]:
        """What is kept of rows, in pieces: most of them lie one after another."""
        if not len(starts):
            return
        kept = self._kept.rows(int(ends[-1]))
        breaks = np.flatnonzero(starts[1:] != ends[:-1])
        firsts: list[int] = starts[np.concatenate(([0], breaks + 1))].tolist()
        lasts: list[int] = ends[np.concatenate((breaks, [len(ends) - 1]))].tolist()
        for first, last in zip(firsts, lasts, strict=True):
            yield kept[first:last].data


def _size_of(vectors: Sequence[tuple[int, int]]) -> int:
    """How many bytes of a point their number, their heads and they themselves are."""
    return 1 + sum(VECTOR_HEAD_BYTES + length for _, length in vectors)


def _extend_ends(ends: "array[int]", lengths: Sequence[int]) -> None:
    following = accumulate(lengths, initial=ends[-1])
    next(following)
    ends.extend(following)


def _starts_and_ends(ends: "array[int]", rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of some rows, ascending."""
    found = np.array(ends[: int(rows[-1]) + 2] if len(rows) else ends[:1], np.int64)
    return found[rows], found[rows + 1]
