"""What a kind of quantization is: codes of rows, made for a segment, and queries prepared to be compared with them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.vectors.params import Distance

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
SAMPLE_ROWS, LEAST_SAMPLE_ROWS, SAMPLE_BYTES = 16384, 256, 64 << 20
"""How many rows are looked at to find out how a segment's vectors are to be quantized: at most, fewer where they take
more than so many bytes, but not less than the second number."""

BLOCK_BYTES = 2 << 20
"""Of vectors that codes are made of at once."""


class Quantizer(Protocol):
    """How the vectors of one segment are quantized."""

    @property
    def form(self) -> str:
        """How the kernel compares codes with a query, as quantized.hpp names it."""
        ...

    @property
    def width(self) -> int:
        """The bytes of a row's codes."""
        ...

    @property
    def oversampling(self) -> float:
        """How many times as many as are wanted should be compared exactly, where a search doesn't say."""
        ...

    @property
    def compared_us(self) -> float:
        """About how many microseconds comparing the codes of a row takes, on a processor with AVX2."""
        ...

    def encode(self, rows: Floats) -> Bytes:
        """The codes of ``rows``, float32 [rows, dim]: uint8 [rows, width]."""
        ...

    def prepare(self, query: Floats) -> Bytes:
        """A query, float32 [dim], as the kernel takes it. Distances are hnswlib's, about."""
        ...

    def kept(self) -> Floats:
        """What ``QuantizationKind.opened`` has to know beside the settings: float32, of one dimension."""
        ...


@dataclass(frozen=True, slots=True)
class Shape:
    """What vectors are quantized: of ``dim`` values, compared by ``distance``."""

    dim: int
    distance: Distance

    @property
    def squared(self) -> bool:
        """Whether distances are squared lengths of differences rather than 1 - dot products."""
        return self.distance is Distance.EUCLID


@dataclass(frozen=True, slots=True)
class QuantizationKind:
    """One kind. ``trained`` takes settings, shape and the rows of a segment, [rows, dim], which may be mapped.

    ``opened`` takes settings, shape and what was kept, and raises ValueError where that doesn't fit.
    """

    trained: Callable[[Any, Shape, NDArray[Any]], Quantizer]
    opened: Callable[[Any, Shape, Floats], Quantizer]


def sample_of(matrix: NDArray[Any], most: int = SAMPLE_ROWS) -> Floats:
    """Some rows of a matrix, evenly apart, as float32."""
    most = max(LEAST_SAMPLE_ROWS, min(most, SAMPLE_BYTES // (4 * matrix.shape[1])))
    step = max(1, -(-len(matrix) // most))
    return matrix[::step].astype(np.float32)


def float_blocks(matrix: NDArray[Any]) -> Iterator[Floats]:
    """All rows, [rows, dim], one after another, a few at a time: what is computed of them takes a few times as much."""
    step = max(1, BLOCK_BYTES // (4 * matrix.shape[1]))
    for at in range(0, len(matrix), step):
        yield np.ascontiguousarray(matrix[at : at + step], np.float32)


def query_codes(values: Floats, most: int) -> tuple[NDArray[np.int32], float]:
    """Whole numbers from -``most`` to ``most``, and what one of them stands for: together about ``values``."""
    largest = float(np.abs(values).max(initial=0.0))
    step = largest / most if largest else 1.0
    return np.rint(values / step).astype(np.int32), step
