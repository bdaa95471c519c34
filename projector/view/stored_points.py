"""StoredPoints: many stored points in few runs of bytes, as a tail has them.

Of an object for each, hundreds of bytes large, the interpreter's allocator would keep the memory: it gives back only
what nothing at all is left in, and among tens of thousands of points there are always a few objects that stay. After
loading 200,000 points of 100 dimensions 20 MB were kept so.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from projector.slices import slices

RUN_BYTES = 64 << 10
"""A run that has so many is not appended to: what grows is copied now and then."""


class JoinedPoints(NamedTuple):
    """Points one after another; ``rows``: which ones, ``lengths``: of how many bytes, int64 each."""

    rows: NDArray[np.int64]
    data: bytes
    lengths: NDArray[np.int64]


class StoredPoints(Sequence[bytes]):
    """Stored points by row, appended at the end. One thread appends, others may read what was there before."""

    def __init__(self) -> None:
        # Nobody may hold a buffer of these: they could not grow meanwhile.
        self._runs: list[bytes | bytearray] = []
        self._ends = array("q", [0])
        """Where each point ends, counted through all runs."""
        self._starts: list[int] = []
        """Where each run starts."""

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, row: int) -> bytes: ...
    @overload
    def __getitem__(self, row: slice) -> list[bytes]: ...
    def __getitem__(self, row: int | slice) -> bytes | list[bytes]:
        """One, or those of some rows. Raises IndexError where there is none."""
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        if not 0 <= row < len(self):
            raise IndexError(row)
        start = self._ends[row]
        number = bisect_right(self._starts, start) - 1
        first = self._starts[number]
        return bytes(self._runs[number][start - first : self._ends[row + 1] - first])

    def size_of(self, start: int, stop: int) -> int:
        """How many bytes the rows from ``start`` up to ``stop`` have."""
        return self._ends[stop] - self._ends[start]

    def extend(self, points: Sequence[bytes]) -> None:
        """Append some."""
        self._append(b"".join(points))
        ends = accumulate(map(len, points), initial=self._ends[-1])
        next(ends)
        self._ends.extend(ends)

    def extend_from(self, other: "StoredPoints", rows: NDArray[np.int64]) -> None:
        """Append some rows of another's, ascending, each once."""
        for joined in other.joined(rows):
            self._append(joined.data)
            self._ends.frombytes((np.cumsum(joined.lengths) + self._ends[-1]).tobytes())

    def joined(self, rows: NDArray[np.int64]) -> Iterator[JoinedPoints]:
        """Some rows, ascending, each once: slices of few points and few bytes (``projector.slices``), in order."""
        if not len(rows):
            return
        ends = np.array(self._ends[: int(rows[-1]) + 2], np.int64)
        starts, ends = ends[rows], ends[rows + 1]
        lengths = ends - starts
        for some in slices(lengths.tolist()):
            # Most of the rows lie one after another.
            breaks = np.flatnonzero(starts[some][1:] != ends[some][:-1]) + some.start
            firsts: list[int] = starts[np.concatenate(([some.start], breaks + 1))].tolist()
            lasts: list[int] = ends[np.concatenate((breaks, [some.stop - 1]))].tolist()
            pieces = [piece for first, last in zip(firsts, lasts, strict=True) for piece in self._within(first, last)]
            yield JoinedPoints(rows[some], b"".join(pieces), lengths[some])

    def _within(self, start: int, stop: int) -> Iterator[bytes | bytearray]:
        number = bisect_right(self._starts, start) - 1
        while start < stop:
            run, first = self._runs[number], self._starts[number]
            piece = run[start - first : stop - first]
            yield piece
            start += len(piece)
            number += 1

    def _append(self, data: bytes) -> None:
        last = self._runs[-1] if self._runs else b""
        if isinstance(last, bytearray) and len(last) < RUN_BYTES:
            last += data
        elif data or not self._runs:
            self._starts.append(self._ends[-1])
            self._runs.append(data if len(data) >= RUN_BYTES else bytearray(data))
