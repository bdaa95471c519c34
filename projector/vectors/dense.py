"""Dense vectors in parts: one matrix. float32 ones are normalised for Cosine here; what others keep is final."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelSearchCodes, normalised
from projector.quantization.growing_codes import GrowingCodes
from projector.quantization.search_codes import SearchCodes, may_have_codes, read_search_codes
from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile, FlatFileWriter
from projector.segments.meta import VectorMeta
from projector.vectors.kind import Rows, Slots, Stored
from projector.view.growing import GrowingArray
from schemas.vectors.dense import DTYPES, DenseKind
from schemas.vectors.params import Datatype, Distance, VectorParams

Matrix = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class DenseVectors:
    """``matrix``: [rows, dim] of the datatype, maybe mapped; ``slots`` as in ``Vectors``."""

    matrix: Matrix
    slots: Slots | None
    codes: SearchCodes | GrowingCodes | None = None

    @property
    def rows(self) -> int:
        """How many slots have one."""
        return len(self.matrix)

    @property
    def storable(self) -> Matrix:
        """The matrix: to normalise a row of it again changes nothing."""
        return self.matrix

    def value(self, row: int) -> Matrix:
        """One of them, [dim]."""
        return self.matrix[row]

    def search_codes(self, most: int | None = None) -> KernelSearchCodes | None:
        """Theirs, if there are any. Those of what came to a tail are made here, of at most so many rows, None for all:
        it has some once all have.
        """
        codes = self.codes
        if isinstance(codes, GrowingCodes):
            return codes.of(self.matrix, most)
        return None if codes is None else codes.kernel

    def missing_codes(self) -> int:
        """How many rows of a tail have no search codes yet, and are to get some."""
        return self.codes.missing(self.rows) if isinstance(self.codes, GrowingCodes) else 0


class GrowingMatrix:
    """A growing matrix."""

    storable = True

    def __init__(self, kind: "DensePartKind") -> None:
        self._kind = kind
        self._matrix: GrowingArray[Any] = GrowingArray(kind.values.dtype, kind.values.dim)
        self._codes = kind.growing_codes()

    def extend(self, stored: Stored) -> None:
        """Append values."""
        self._matrix.extend(self._kind.matrix(stored))

    def held(self, rows: int, slots: Slots | None) -> DenseVectors:
        """The first ``rows`` values."""
        return DenseVectors(self._matrix.rows(rows), slots, self._codes)

    def take(self, rows: Rows) -> "GrowingMatrix":
        """A copy of some of them."""
        taken = GrowingMatrix(self._kind)
        taken._matrix.begin_with(self._matrix.all()[rows])
        return taken


class DensePartKind:
    """Dense vectors under a name's parameters."""

    def __init__(self, params: VectorParams) -> None:
        self.values = DenseKind(params)
        self._normalised = params.distance is Distance.COSINE and self.values.datatype is Datatype.FLOAT32
        byte_cosine = params.distance is Distance.COSINE and self.values.datatype is Datatype.UINT8
        self.graphs = params.distance is not Distance.MANHATTAN and not byte_cosine
        self.row_bytes = self.values.width

    def matrix(self, stored: Stored) -> Matrix:
        """Values of stored points as rows; read-only."""
        matrix = np.frombuffer(stored.data, self.values.dtype).reshape(-1, self.values.dim)
        return normalised(matrix) if self._normalised else matrix

    def growing_codes(self) -> GrowingCodes | None:
        """Search codes for a tail; None where vectors have none."""
        values = self.values
        if not may_have_codes(values.dim, values.distance, values.datatype):
            return None
        return GrowingCodes(values.dim, values.distance)

    def growing(self) -> GrowingMatrix:
        """An empty store for a tail."""
        return GrowingMatrix(self)

    def block(self, stored: Stored) -> DenseVectors:
        """Values of stored points."""
        return DenseVectors(self.matrix(stored), None)

    def take(self, held: DenseVectors, rows: Rows) -> DenseVectors:
        """Some of what a part holds, as a block."""
        return DenseVectors(held.matrix[rows], None)

    def joined(self, blocks: Sequence[DenseVectors]) -> DenseVectors:
        """Blocks one after another."""
        return DenseVectors(np.concatenate([block.matrix for block in blocks]), None)

    def write(self, file: FlatFileWriter, number: int, blocks: Iterator[DenseVectors]) -> None:
        """Write ``vectors.<number>``."""
        with file.section(f"vectors.{number}") as section:
            for block in blocks:
                section.write(block.matrix)

    def opened(self, file: FlatFile, meta: VectorMeta, slots: Slots | None) -> DenseVectors:
        """What a segment holds. Raises SegmentDamagedError when its sections don't fit."""
        values = file.array(f"vectors.{meta.number}", DTYPES[meta.datatype])
        if len(values) != meta.rows * meta.dim:
            raise SegmentDamagedError(f"{file.path}: the vectors of {meta.name!r} do not fit the slots")
        try:
            codes = read_search_codes(file.array, meta)
        except ValueError as error:
            raise SegmentDamagedError(f"{file.path}: {error}") from error
        return DenseVectors(values.reshape(meta.rows, meta.dim), slots, codes)

    def meta(self, name: str, number: int, rows: int, every_slot: bool) -> VectorMeta:
        """What the segment's directory says of them."""
        values = self.values
        return VectorMeta(name, number, values.dim, values.distance, rows, every_slot, datatype=values.datatype)
