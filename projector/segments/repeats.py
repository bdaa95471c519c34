"""Repeats: rows whose vector an earlier row has. A graph holds each distinct vector once, these stand beside it.

HNSW needs links that lead away from where they start. Among equal vectors every link leads to another equal one, so
that a crowd of them, put into a graph one by one, hides whatever lies behind it.
"""

import numpy as np
import xxhash
from numpy.typing import NDArray

_BLOCK_BYTES = 8 << 20

Rows = NDArray[np.uint32]


class Repeats:
    """Groups of equal vectors, each under its *first* row, the lowest."""

    def __init__(self, firsts: Rows, ends: Rows, rows: Rows) -> None:
        """``firsts``, uint32 [groups], ascending; ``rows``, uint32 [repeats]: each group's other rows, ascending, one
        group after another; ``ends``, uint32 [groups]: where each group ends in ``rows``.
        """
        self.firsts = firsts
        self.ends = ends
        self.rows = rows

    @staticmethod
    def none() -> "Repeats":
        """All vectors are distinct."""
        empty = np.empty(0, np.uint32)
        return Repeats(empty, empty, empty)

    @staticmethod
    def find(matrix: NDArray[np.float32]) -> "Repeats":
        """The repeats in ``matrix``, float32 [rows, dim]. 0.0 and -0.0 are equal."""
        hashes = _hashes(matrix)
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(order)])
        if len(begins) == len(order):
            return Repeats.none()
        firsts = np.repeat(order[begins], np.diff(begins, append=len(order)))
        later = np.flatnonzero(order != firsts)
        rows, firsts = order[later], firsts[later]
        equal = _equal(matrix, rows, firsts)  # a hash may be that of two vectors
        rows, firsts = rows[equal], firsts[equal]
        sorted_ = np.lexsort((rows, firsts))
        rows, firsts = rows[sorted_], firsts[sorted_]
        heads, counts = np.unique(firsts, return_counts=True)
        return Repeats(heads.astype(np.uint32), np.cumsum(counts).astype(np.uint32), rows.astype(np.uint32))

    def fit(self, rows: int) -> bool:
        """Whether these can be the repeats among so many rows."""
        groups = len(self.firsts)
        ends = self.ends.astype(np.int64)
        return (
            groups == len(self.ends)
            and (int(ends[-1]) if groups else 0) == len(self.rows)
            and bool(np.all(np.diff(ends, prepend=0) > 0))
            and bool(np.all(self.firsts[1:] > self.firsts[:-1]))
            and (not groups or max(int(self.rows.max()), int(self.firsts[-1])) < rows)
        )

    def distinct(self, rows: int) -> NDArray[np.int64]:
        """Of ``rows`` rows those that repeat none before them, ascending."""
        mask = np.ones(rows, np.bool_)
        mask[self.rows] = False
        return np.flatnonzero(mask)

    def stand_ins(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which rows stand for any that ``mask``, bool [rows], lets pass."""
        if not len(self.rows):
            return mask
        some = np.logical_or.reduceat(mask[self.rows], np.concatenate([[0], self.ends[:-1]]))
        standing = mask.copy()
        standing[self.firsts] |= some
        return standing


def _hashes(matrix: NDArray[np.float32]) -> NDArray[np.uint64]:
    rows, dim = matrix.shape
    hashes = np.empty(rows, np.uint64)
    step = max(1, _BLOCK_BYTES // (4 * dim))
    width = 4 * dim
    for start in range(0, rows, step):
        # Adding zero makes -0.0 the same bytes as 0.0.
        data = memoryview((matrix[start : start + step] + np.float32(0.0)).tobytes())
        digests = (xxhash.xxh3_64_intdigest(data[at : at + width]) for at in range(0, len(data), width))
        hashes[start : start + step] = np.fromiter(digests, np.uint64, len(data) // width)
    return hashes


def _equal(matrix: NDArray[np.float32], rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    equal = np.empty(len(rows), np.bool_)
    step = max(1, _BLOCK_BYTES // (4 * matrix.shape[1]))
    for start in range(0, len(rows), step):
        chosen = slice(start, start + step)
        equal[chosen] = (matrix[rows[chosen]] == matrix[others[chosen]]).all(axis=1)
    return equal
