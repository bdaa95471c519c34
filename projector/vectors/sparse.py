"""Sparse vectors in parts: pairs of index and value, and inverted lists of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile, FlatFileWriter
from projector.segments.meta import SPARSE, VectorMeta
from projector.vectors.inverted import Block, GrowingLists, Inverted, Lists, WrittenLists
from projector.vectors.kind import Rows, Slots, Stored
from projector.vectors.ragged import GrowingRagged, Items, Ragged, joined, open_ends, ragged_block, write_ragged
from projector.view.growing import GrowingArray
from schemas.vectors.params import Distance, SparseVectorParams
from schemas.vectors.sparse import PAIR

_USUAL_PAIRS = 64


@dataclass(frozen=True, eq=False)
class SparseVectors(Ragged):
    """Sparse vectors: ``items`` are pairs."""

    lists: Lists = field(default_factory=GrowingLists)

    @cached_property
    def blocks(self) -> Sequence[Block]:
        """The inverted lists of all rows. Making those that are ``missing`` takes a while."""
        return list(self.lists.blocks(self.items, self.ends))

    @property
    def missing(self) -> int:
        """How many pairs would have to be sorted before there are ``blocks``."""
        return 0 if "blocks" in self.__dict__ else self.lists.missing(self.ends)

    @cached_property
    def empty(self) -> NDArray[np.int64]:
        """The rows whose vectors have no pairs."""
        return np.flatnonzero(np.diff(self.ends) == 0)


def _sparse(ragged: Ragged, lists: Lists | None = None) -> SparseVectors:
    return SparseVectors(ragged.items, ragged.ends, ragged.slots, lists or GrowingLists())


def _pairs(data: bytes) -> Items:
    return np.frombuffer(data, PAIR)


def _empty() -> GrowingArray[Any]:
    return GrowingArray(PAIR)


class GrowingSparse:
    """Growing sparse vectors."""

    storable = False

    def __init__(self, kind: "SparsePartKind", held: GrowingRagged | None = None) -> None:
        self._kind = kind
        self._held = held or GrowingRagged(_empty(), kind.block)
        self._lists = GrowingLists()

    def extend(self, stored: Stored) -> None:
        """Append values."""
        self._held.extend(stored)

    def held(self, rows: int, slots: Slots | None) -> SparseVectors:
        """The first ``rows`` values."""
        return _sparse(self._held.ragged(rows, slots), self._lists)

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
            meta.rows,
        )
        fits = len(inverted.starts) == len(inverted.terms) + 1 and int(inverted.starts[-1]) == len(items)
        if not fits or len(inverted.rows) != len(items) or len(inverted.values) != len(items):
            raise SegmentDamagedError(f"{file.path}: the postings of {meta.name!r} do not fit its pairs")
        return SparseVectors(items, open_ends(file, number, meta.rows, len(items)), slots, WrittenLists(inverted))

    def meta(self, name: str, number: int, rows: int, every_slot: bool) -> VectorMeta:
        """What the segment's directory says of them."""
        return VectorMeta(name, number, 0, Distance.DOT, rows, every_slot, kind=SPARSE)
