"""Levels of four bits, two in a byte."""

from dataclasses import dataclass
from struct import Struct

import numpy as np

from projector.quantization.kind import Bytes, Floats, query_codes
from projector.quantization.levels import LevelledQuantizer

_HEAD = Struct("<fff4x")
_ROW_HEAD = 8
_MIDDLE = 7.5
_QUERY_CODES = 127


@dataclass(frozen=True, slots=True, eq=False)
class NibblesQuantizer(LevelledQuantizer):
    """Of one level, of 4 bits, for all values. The query is quantized to -127 ... 127."""

    oversampling: float

    form = "nibbles"

    @property
    def width(self) -> int:
        """The bytes of a row's codes."""
        return _ROW_HEAD + self._half

    @property
    def _half(self) -> int:
        return -(-self.levelled.shape.dim // 2)

    @property
    def compared_us(self) -> float:
        """About how long comparing a row takes."""
        return 0.05 + 0.0001 * self._half

    def encode(self, rows: Floats) -> Bytes:
        """The codes of rows: in a low half that of a value, in the high one that of the value half a row later."""
        head, (codes,) = self.levelled.coded(rows)
        low, high = codes[:, : self._half], codes[:, self._half :]
        pairs = low.copy()
        pairs[:, : high.shape[1]] |= high << 4
        return np.concatenate([head.view(np.uint8), pairs], axis=1)

    def prepare(self, query: Floats) -> Bytes:
        """A query for the kernel."""
        constant, (weights,) = self.levelled.weighed(query)
        codes, step = query_codes(weights, _QUERY_CODES)
        # A code c stands for the level 2 c - 15.
        head = _HEAD.pack(constant, -2 * _MIDDLE * step * float(codes.sum()), 2 * step)
        filled = np.zeros(2 * self._half, np.int8)
        filled[: len(codes)] = codes
        return np.frombuffer(head + filled.tobytes(), np.uint8)
