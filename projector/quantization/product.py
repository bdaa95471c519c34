"""Product quantization (Jégou, Douze and Schmid 2011): a byte for a few values, the nearest of 256 centroids."""

from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.kernel import product_codes, product_table
from projector.quantization.kind import Bytes, Floats, QuantizationKind, Shape, sample_of
from schemas.quantization import ProductSettings
from schemas.vectors.params import Distance

CENTROIDS = 256
_ROUNDS = 8
_BLOCK_ROWS = 8192
_UNIT_TOLERANCE = 0.01
"""Float16 rounds."""
_SAMPLE_ROWS = 20 * CENTROIDS
_SEED = 20
_VALUES = {"x4": 1, "x8": 2, "x16": 4, "x32": 8, "x64": 16}
"""How many values, of four bytes each, one byte stands for."""
_HEAD = Struct("<f12x")


@dataclass(frozen=True, slots=True, eq=False)
class ProductQuantizer:
    """``codebook``: float32 [chunks, values of a chunk, 256]. The last chunk is filled up with zeros.

    ``unit``: all rows are of length 1. Then half the squared length of the difference stands for the dot product, which
    is the same, and for near rows less off.
    """

    shape: Shape
    codebook: Floats
    unit: bool

    form = "lookup"

    @property
    def oversampling(self) -> float:
        """The more values a byte stands for, the more."""
        return 2.0 + self.codebook.shape[1] / 2

    @property
    def width(self) -> int:
        """The bytes of a row's codes."""
        return len(self.codebook)

    @property
    def compared_us(self) -> float:
        """About how long comparing a row takes: the tables of a query hardly fit into a processor's nearer caches."""
        return 0.05 + 0.0015 * self.width

    def encode(self, rows: Floats) -> Bytes:
        """The codes of rows."""
        return product_codes(self._filled(rows), self.codebook)

    def prepare(self, query: Floats) -> Bytes:
        """A query for the kernel: what each centroid adds to its distance."""
        squared = self.shape.squared or self.unit
        constant = 0.0 if squared else 1.0
        table = product_table(self._filled(query[np.newaxis])[0], self.codebook, squared)
        if self.unit:
            wide = query.astype(np.float64)
            constant = 0.5 - 0.5 * float(wide @ wide)
            table *= np.float32(0.5)
        return np.frombuffer(_HEAD.pack(constant) + table.tobytes(), np.uint8)

    def kept(self) -> Floats:
        """The codebook, then 1 where all rows are of length 1, else 0."""
        return np.append(self.codebook.reshape(-1), np.float32(self.unit))

    def _filled(self, rows: Floats) -> Floats:
        return _filled(rows, self.codebook.shape[1])


def _filled(rows: Floats, values: int) -> Floats:
    missing = -rows.shape[1] % values
    return np.pad(rows, ((0, 0), (0, missing))) if missing else np.ascontiguousarray(rows)


def _trained(settings: ProductSettings, shape: Shape, matrix: NDArray[Any]) -> ProductQuantizer:
    """Centroids by Lloyd's algorithm (k-means), from rows chosen with a fixed seed."""
    values = _VALUES[settings.compression]
    rows = _filled(sample_of(matrix, _SAMPLE_ROWS), values)
    chosen = np.random.default_rng(_SEED).choice(len(rows), CENTROIDS, replace=len(rows) < CENTROIDS)
    chunks = rows.shape[1] // values
    codebook = np.ascontiguousarray(rows[chosen].reshape(CENTROIDS, chunks, values).transpose(1, 2, 0))
    for _ in range(_ROUNDS):
        _move(codebook, rows, product_codes(rows, codebook))
    return ProductQuantizer(shape, codebook, shape.distance is Distance.COSINE and _are_all_units(matrix))


def _are_all_units(matrix: NDArray[Any]) -> bool:
    for at in range(0, len(matrix), _BLOCK_ROWS):
        block = matrix[at : at + _BLOCK_ROWS].astype(np.float32, copy=False)
        if np.any(np.abs(np.einsum("ij,ij->i", block, block) - 1) > _UNIT_TOLERANCE):
            return False
    return True


def _move(codebook: Floats, rows: Floats, codes: Bytes) -> None:
    """Put each centroid to the mean of the chunks that it is the nearest to; one that is so to none stays."""
    for chunk, centroids in enumerate(codebook):
        nearest = codes[:, chunk]
        counts = np.bincount(nearest, minlength=CENTROIDS)
        there = counts > 0
        for value, places in enumerate(centroids):
            sums = np.bincount(nearest, rows[:, chunk * len(centroids) + value], CENTROIDS)
            places[there] = sums[there] / counts[there]


def _opened(settings: ProductSettings, shape: Shape, kept: Floats) -> ProductQuantizer:
    values = _VALUES[settings.compression]
    chunks = -(-shape.dim // values)
    if len(kept) != chunks * values * CENTROIDS + 1:
        raise ValueError(f"a codebook has {chunks * values * CENTROIDS + 1} numbers, not {len(kept)}")
    return ProductQuantizer(shape, kept[:-1].reshape(chunks, values, CENTROIDS), bool(kept[-1]))


PRODUCT = QuantizationKind(_trained, _opened)
