"""Multivectors in parts: all vectors in one matrix, and where each value's end."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile, FlatFileWriter
from projector.segments.meta import MULTI, VectorMeta
from projector.vectors.kind import Rows, Slots, Stored
from projector.vectors.ragged import GrowingRagged, Items, Ragged, joined, open_ends, ragged_block, write_ragged
from projector.view.growing import GrowingArray
from schemas.vectors.dense import DTYPES
from schemas.vectors.multi import MultiKind
from schemas.vectors.normalise import normalise
from schemas.vectors.params import Datatype, Distance, VectorParams

_USUAL_VECTORS = 16


class MultiVectors(Ragged):
    """Multivectors: ``items`` are vectors, [vectors, dim] of the datatype."""


def _multi(ragged: Ragged) -> MultiVectors:
    return MultiVectors(ragged.items, ragged.ends, ragged.slots)


class GrowingMulti:
    """Growing multivectors."""

    storable = False

    def __init__(self, kind: "MultiPartKind", held: GrowingRagged | None = None) -> None:
        self._kind = kind
        self._held = held or GrowingRagged(kind.empty(), kind.block)

    def extend(self, stored: Stored) -> None:
        """Append values."""
        self._held.extend(stored)

    def held(self, rows: int, slots: Slots | None) -> MultiVectors:
        """The first ``rows`` values."""
        return _multi(self._held.ragged(rows, slots))

    def take(self, rows: Rows) -> "GrowingMulti":
        """A copy of some of them."""
        return GrowingMulti(self._kind, self._held.taken(rows, self._kind.empty()))


class MultiPartKind:
    """Multivectors under a name's parameters. They are compared with all of a part, without a graph."""

    graphs = False

    def __init__(self, params: VectorParams) -> None:
        self.values = MultiKind(params)
        self._item = self.values.dim * self.values.dtype.itemsize
        self._normalised = params.distance is Distance.COSINE and self.values.datatype is Datatype.FLOAT32
        self.row_bytes = self._item * _USUAL_VECTORS

    def empty(self) -> GrowingArray[Any]:
        """An array for vectors."""
        return GrowingArray(self.values.dtype, self.values.dim)

    def _items(self, data: bytes) -> Items:
        matrix = np.frombuffer(data, self.values.dtype).reshape(-1, self.values.dim)
        return normalise(matrix) if self._normalised else matrix

    def growing(self) -> GrowingMulti:
        """An empty store for a tail."""
        return GrowingMulti(self)

    def block(self, stored: Stored) -> MultiVectors:
        """Values of stored points."""
        return _multi(ragged_block(stored, self._item, self._items))

    def take(self, held: MultiVectors, rows: Rows) -> MultiVectors:
        """Some of what a part holds, as a block."""
        return _multi(held.take(rows))

    def joined(self, blocks: Sequence[MultiVectors]) -> MultiVectors:
        """Blocks one after another."""
        return _multi(joined(blocks))

    def write(self, file: FlatFileWriter, number: int, blocks: Iterator[MultiVectors]) -> None:
        """Write ``vectors.<number>`` and ``ends.<number>``."""
        write_ragged(file, number, blocks)

    def opened(self, file: FlatFile, meta: VectorMeta, slots: Slots | None) -> MultiVectors:
        """What a segment holds. Raises SegmentDamagedError when its sections don't fit."""
        values = file.array(f"vectors.{meta.number}", DTYPES[meta.datatype])
        if len(values) % meta.dim:
            raise SegmentDamagedError(f"{file.path}: the vectors of {meta.name!r} are not whole")
        matrix = values.reshape(-1, meta.dim)
        return MultiVectors(matrix, open_ends(file, meta.number, meta.rows, len(matrix)), slots)

    def meta(self, name: str, number: int, rows: int, every_slot: bool) -> VectorMeta:
        """What the segment's directory says of them."""
        values = self.values
        datatype: Datatype = values.datatype
        return VectorMeta(name, number, values.dim, values.distance, rows, every_slot, kind=MULTI, datatype=datatype)
