"""Inverted lists of sparse vectors: for each index that occurs (a *term*), the rows in which it does, and the values.

A segment's list is written with it. A tail's are made when they are first searched, of blocks of rows that are full and
so never change: what a view has beyond those is little.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelPostings
from projector.vectors.ragged import Ends, Items

SIZES = (4096, 256)
"""Rows of a block. What does not fill a block of one size has blocks of the next; in the end what is left is one."""


@dataclass(frozen=True, eq=False)
class Inverted:
    """``terms`` uint32 ascending; those of ``terms[i]`` are in ``rows`` and ``values`` [starts[i], starts[i + 1]).

    ``size``: how many rows there are.
    """

    terms: NDArray[np.uint32]
    starts: NDArray[np.int64]
    rows: NDArray[np.uint32]
    values: NDArray[np.float32]
    size: int

    @staticmethod
    def of(items: Items, ends: Ends) -> "Inverted":
        """Turn pairs by row into rows by term; within a term rows ascend. ``items`` begin at ``ends[0]``."""
        rows = np.repeat(np.arange(len(ends) - 1, dtype=np.uint32), np.diff(ends))
        order = np.argsort(items["index"], kind="stable")
        terms, starts = np.unique(items["index"][order], return_index=True)
        starts = np.append(starts, len(order)).astype(np.int64)
        return Inverted(terms, starts, rows[order], items["value"][order], len(ends) - 1)

    @cached_property
    def kernel(self) -> KernelPostings:
        """The same, for the kernel to search."""
        return KernelPostings(self.terms, self.starts, self.rows, self.values, self.size)


class Block(NamedTuple):
    """The lists of rows from ``first`` on, which they count from 0."""

    first: int
    lists: Inverted


class Lists(Protocol):
    """The inverted lists of a part's rows."""

    def blocks(self, items: Items, ends: Ends) -> Iterator[Block]:
        """Those of all rows, whose pairs are ``items``."""
        ...

    def missing(self, ends: Ends) -> int:
        """How many pairs would have to be sorted first."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class WrittenLists:
    """Those that came with a segment."""

    lists: Inverted

    def blocks(self, items: Items, ends: Ends) -> Iterator[Block]:
        """One of everything."""
        yield Block(0, self.lists)

    def missing(self, ends: Ends) -> int:
        """None."""
        return 0


class GrowingLists:
    """Those of rows that are appended. Any thread may ask for them; what two make at once is the same."""

    def __init__(self) -> None:
        self._full: dict[tuple[int, int], Inverted] = {}

    def blocks(self, items: Items, ends: Ends) -> Iterator[Block]:
        """Full ones, which are kept, and one of what is left."""
        for first, last in _spans(len(ends) - 1):
            lists = self._full.get((first, last))
            if lists is None:
                lists = Inverted.of(items[ends[first] : ends[last]], ends[first : last + 1])
                if last - first in SIZES:
                    self._full[first, last] = lists
            yield Block(first, lists)

    def missing(self, ends: Ends) -> int:
        """Pairs of blocks that aren't there yet."""
        spans = (span for span in _spans(len(ends) - 1) if span not in self._full)
        return sum(int(ends[last] - ends[first]) for first, last in spans)


def _spans(rows: int) -> Iterator[tuple[int, int]]:
    """The rows of each block of so many."""
    first = 0
    for size in SIZES:
        while rows - first >= size:
            yield first, first + size
            first += size
    if first < rows:
        yield first, rows
