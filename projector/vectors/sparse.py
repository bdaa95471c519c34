"""Sparse vectors in parts: pairs of index and value, and an inverted index of them.

The index has, for each index that occurs (a *term*), the rows in which it does and the values there: its *postings*. A
segment's is written with it. A tail's is made when it is first searched, of all rows that a view has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile, FlatFileWriter
from projector.segments.meta import SPARSE, VectorMeta
from projector.vectors.kind import Rows, Slots, Stored
from projector.vectors.ragged import Ends, GrowingRagged, Items, Ragged, joined, open_ends, ragged_block, write_ragged
from projector.view.growing import GrowingArray
from schemas.vectors.params import Distance, SparseVectorParams
from schemas.vectors.sparse import PAIR

_USUAL_PAIRS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Inverted:
    """``terms`` uint32 ascending; those of ``terms[i]`` are in ``rows`` and ``values`` [starts[i], starts[i + 1])."""

    terms: NDArray[np.uint32]
    starts: NDArray[np.int64]
    rows: NDArray[np.uint32]
    values: NDArray[np.float32]

    @staticmethod
    def of(items: Items, ends: Ends) -> "Inverted":
        """Turn pairs by row into rows by term; within a term rows ascend."""
        rows = np.repeat(np.arange(len(ends) - 1, dtype=np.uint32), np.diff(ends))
        order = np.argsort(items["index"], kind="stable")
        terms, starts = np.unique(items["index"][order], return_index=True)
        return Inverted(terms, np.append(starts, len(order)).astype(np.int64), rows[order], items["value"][order])

    def postings(self, term: int) -> slice | None:
        """Where a term's postings are; None when it doesn't occur."""
        at = int(np.searchsorted(self.terms, np.uint32(term)))
        if at == len(self.terms) or self.terms[at] != term:
            return None
        return slice(int(self.starts[at]), int(self.starts[at + 1]))


@dataclass(frozen=True, eq=False)
class SparseVectors(Ragged):
    """Sparse vectors: ``items`` are pairs. ``written``: the index, where there is one already."""

    written: Inverted | None = None

    @cached_property
    def inverted(self) -> Inverted:
        """The inverted index."""
        return Inverted.of(self.items, self.ends) if self.written is None else self.written

    @cached_property
    def empty(self) -> NDArray[np.int64]:
        """The rows whose vectors have no pairs."""
        return np.flatnonzero(np.diff(self.ends) == 0)


def _sparse(ragged: Ragged) -> SparseVectors:
    return SparseVectors(ragged.items, ragged.ends, ragged.slots)


def _pairs(data: bytes) -> Items:
    return np.frombuffer(data, PAIR)


def _empty() -> GrowingArray[Any]:
    return GrowingArray(PAIR)


class GrowingSparse:
    """Growing sparse vectors."""

    def __init__(self, kind: "SparsePartKind", held: GrowingRagged | None = None) -> None:
        self._kind = kind
        self._held = held or GrowingRagged(_empty(), kind.block)

    def extend(self, stored: Stored) -> None:
        """Append values."""
        self._held.extend(stored)

    def held(self, rows: int, slots: Slots | None) -> SparseVectors:
        """The first ``rows`` values."""
        return _sparse(self._held.ragged(rows, slots))

    def take(self, rows: Rows) -> "GrowingSparse":
        """A copy of some of them."""
        return GrowingSparse(self._kind, self._held.taken(rows, _empty()))


class SparsePartKind:
    """Sparse vectors under a name's parameters."""

    graphs = False
    row_bytes = PAIR.itemsize * _USUAL_PAIRS

    def __init__(self, params: SparseVectorParams) -> None:
        self.params = params

    def growing(self) -> GrowingSparse:
        """An empty store for a tail."""
        return GrowingSparse(self)

    def block(self, stored: Stored) -> SparseVectors:
        """Values of stored points."""
        return _sparse(ragged_block(stored, PAIR.itemsize, _pairs))

    def take(self, held: SparseVectors, rows: Rows) -> SparseVectors:
        """Some of what a part holds, as a block."""
        return _sparse(held.take(rows))

    def joined(self, blocks: Sequence[SparseVectors]) -> SparseVectors:
        """Blocks one after another."""
        return _sparse(joined(blocks))

    def write(self, file: FlatFileWriter, number: int, blocks: Iterator[SparseVectors]) -> None:
        """Write the pairs, where they end, and the index (docs/segment-files.md)."""
        ends = write_ragged(file, number, blocks)
        inverted = Inverted.of(file.map(f"vectors.{number}", PAIR), ends)
        file.put(f"terms.{number}", inverted.terms)
        file.put(f"postings.{number}", inverted.starts)
        file.put(f"posting_rows.{number}", inverted.rows)
        file.put(f"posting_values.{number}", inverted.values)

    def opened(self, file: FlatFile, meta: VectorMeta, slots: Slots | None) -> SparseVectors:
        """What a segment holds. Raises SegmentDamagedError when its sections don't fit."""
        number = meta.number
        items = file.array(f"vectors.{number}", PAIR)
        inverted = Inverted(
            file.array(f"terms.{number}", np.uint32),
            file.array(f"postings.{number}", np.int64),
            file.array(f"posting_rows.{number}", np.uint32),
            file.array(f"posting_values.{number}", np.float32),
        )
        fits = len(inverted.starts) == len(inverted.terms) + 1 and int(inverted.starts[-1]) == len(items)
        if not fits or len(inverted.rows) != len(items) or len(inverted.values) != len(items):
            raise SegmentDamagedError(f"{file.path}: the postings of {meta.name!r} do not fit its pairs")
        return SparseVectors(items, open_ends(file, number, meta.rows, len(items)), slots, inverted)

    def meta(self, name: str, number: int, rows: int, every_slot: bool) -> VectorMeta:
        """What the segment's directory says of them."""
        return VectorMeta(name, number, 0, Distance.DOT, rows, every_slot, kind=SPARSE)
