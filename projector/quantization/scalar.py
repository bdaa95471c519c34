"""Scalar quantization: each value as one byte, all on one scale."""

from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.quantization.kind import Bytes, Floats, QuantizationKind, Shape, query_codes, sample_of
from schemas.quantization import ScalarSettings

_HEAD = Struct("<fff4x")
_ROW_HEAD = 8
_CODES = 255
_MIDDLE = 128
_QUERY_CODES = 127
_BLOCK_ROWS = 8192
_OVERSAMPLING = {False: 2.0, True: 3.0}
"""By whether there are values outside of the scale."""


@dataclass(frozen=True, slots=True, eq=False)
class ScalarQuantizer:
    """A code c stands for ``middle`` + ``step`` * (c - 128). The query is quantized, too, to -127 ... 127.

    Everything is counted from ``middle`` on: the farther off values are from it, the more an error in the other factor
    counts. A row's scale is 1, its offset 0 for dot products, and for Euclid the squared length of what its codes
    stand for, so that errors grow with the distance of two points and not with how far both are from the origin.
    """

    shape: Shape
    middle: float
    step: float
    oversampling: float

    form = "bytes"

    @property
    def width(self) -> int:
        """The bytes of a row's codes."""
        return _ROW_HEAD + self.shape.dim

    @property
    def compared_us(self) -> float:
        """About how long comparing a row takes."""
        return 0.05 + 0.0001 * self.shape.dim

    def encode(self, rows: Floats) -> Bytes:
        """The codes of rows."""
        codes = np.clip(np.rint((rows - self.middle) / self.step) + _MIDDLE, 0, _CODES)
        found = np.empty((len(rows), self.width), np.uint8)
        head = np.zeros((len(rows), 2), np.float32)
        head[:, 0] = 1.0
        if self.shape.squared:
            head[:, 1] = np.square((codes - _MIDDLE) * self.step, dtype=np.float64).sum(axis=1)
        found[:, :_ROW_HEAD] = head.view(np.uint8)
        found[:, _ROW_HEAD:] = codes
        return found

    def prepare(self, query: Floats) -> Bytes:
        """A query for the kernel."""
        about = query.astype(np.float64) - (self.middle if self.shape.squared else 0.0)
        weights, weight = query_codes(about.astype(np.float32), _QUERY_CODES)
        factor = self.step * weight
        # The sum of code * weight is to be one of (code - 128) * weight.
        surplus = factor * _MIDDLE * float(weights.sum())
        if self.shape.squared:
            head = _HEAD.pack(float(about @ about) + 2 * surplus, 0.0, -2 * factor)
        else:
            head = _HEAD.pack(1 - self.middle * float(about.sum()) + surplus, 0.0, -factor)
        return np.frombuffer(head + weights.astype(np.int8).tobytes(), np.uint8)

    def kept(self) -> Floats:
        """The scale."""
        return np.array([self.middle, self.step], np.float32)


def _trained(settings: ScalarSettings, shape: Shape, matrix: NDArray[Any]) -> ScalarQuantizer:
    low, high = _range(matrix) if settings.quantile is None else _quantiles(matrix, settings.quantile)
    step = max((high - low) / _CODES, float(np.finfo(np.float32).tiny))
    kept = np.array([low + _MIDDLE * step, step], np.float32)
    return _opened(settings, shape, kept)


def _range(matrix: NDArray[Any]) -> tuple[float, float]:
    blocks = [matrix[at : at + _BLOCK_ROWS] for at in range(0, len(matrix), _BLOCK_ROWS)]
    return min(float(block.min()) for block in blocks), max(float(block.max()) for block in blocks)


def _quantiles(matrix: NDArray[Any], quantile: float) -> tuple[float, float]:
    """Between which values lies that part of all, as many being above as below."""
    outside = (1 - quantile) / 2
    low, high = np.quantile(sample_of(matrix), [outside, 1 - outside])
    return float(low), float(high)


def _opened(settings: ScalarSettings, shape: Shape, kept: Floats) -> ScalarQuantizer:
    if len(kept) != 2:
        raise ValueError(f"a scale has 2 numbers, not {len(kept)}")
    return ScalarQuantizer(shape, float(kept[0]), float(kept[1]), _OVERSAMPLING[settings.quantile is not None])


SCALAR = QuantizationKind(_trained, _opened)
