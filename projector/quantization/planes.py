"""Levels kept as planes of bits."""

from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.quantization.kind import Bytes, Floats
from projector.quantization.levels import Level, LevelledQuantizer

_HEAD = Struct("<ffII")
_GROUP = Struct("<Iff4x")
_ROW_HEAD = 8
_WORD_BITS = 64
_WORD_BYTES = 8


@dataclass(frozen=True, slots=True, eq=False)
class PlanesQuantizer(LevelledQuantizer):
    """``query_bits``: how many bits each value of a query is quantized to."""

    query_bits: int
    oversampling: float

    form = "planes"

    @property
    def width(self) -> int:
        """The bytes of a row's codes."""
        return _ROW_HEAD + _WORD_BYTES * sum(level.bits * _words(level) for level in self.levelled.levels)

    @property
    def compared_us(self) -> float:
        """About how long comparing a row takes: bits are counted once for each plane of the query, and once more."""
        return 0.05 + 0.001 * (self.width - _ROW_HEAD) / _WORD_BYTES * (self.query_bits + 1)

    def encode(self, rows: Floats) -> Bytes:
        """The codes of rows."""
        head, every = self.levelled.coded(rows)
        planes = [
            _packed(codes >> plane & 1, _words(level))
            for level, codes in zip(self.levelled.levels, every, strict=True)
            for plane in range(level.bits)
        ]
        return np.concatenate([head.view(np.uint8), *planes], axis=1)

    def prepare(self, query: Floats) -> Bytes:
        """A query for the kernel."""
        constant, every = self.levelled.weighed(query)
        inner = 0.0
        groups: list[bytes] = []
        bits: list[bytes] = []
        for level, weights in zip(self.levelled.levels, every, strict=True):
            low, step, codes = self._rounded(weights)
            # A code c stands for the level 2 c - (2 ** bits - 1).
            inner -= (2**level.bits - 1) * (low * len(codes) + step * float(codes.sum(dtype=np.int64)))
            planes = self._planes(codes, _words(level))
            for plane in range(level.bits):
                groups.append(_GROUP.pack(_words(level), 2 ** (plane + 1) * low, 2 ** (plane + 1) * step))
                bits.append(planes)
        head = _HEAD.pack(constant, inner, len(groups), self.query_bits)
        return np.frombuffer(b"".join([head, *groups, *bits]), np.uint8)

    def _rounded(self, weights: Floats) -> tuple[float, float, NDArray[np.uint8]]:
        """Numbers as ``low`` + ``step`` * code: about, with as many codes as there are."""
        if self.query_bits == 1:
            size = float(np.abs(weights).mean(dtype=np.float64)) if len(weights) else 0.0
            return -size, 2 * size, (weights > 0).astype(np.uint8)
        low, high = float(weights.min(initial=0.0)), float(weights.max(initial=0.0))
        step = (high - low) / (2**self.query_bits - 1)
        return low, step, np.rint((weights - np.float32(low)) / np.float32(step or 1.0)).astype(np.uint8)

    def _planes(self, codes: NDArray[np.uint8], words: int) -> bytes:
        """The bits of codes: of each word of 64 codes its planes, the lowest first."""
        filled = np.zeros((words * _WORD_BITS, 1), np.uint8)
        filled[: len(codes), 0] = codes
        bits = np.unpackbits(filled, axis=1, count=self.query_bits, bitorder="little")
        packed = np.packbits(bits, axis=0, bitorder="little")
        return packed.reshape(words, _WORD_BYTES, self.query_bits).transpose(0, 2, 1).tobytes()


def _words(level: Level) -> int:
    return -(-len(level.places) // _WORD_BITS)


def _packed(bits: NDArray[Any], words: int) -> Bytes:
    """Rows of bits as bytes, [rows, words * 8], the first in the lowest bit."""
    packed = np.packbits(bits, axis=1, bitorder="little")
    return np.pad(packed, ((0, 0), (0, _WORD_BYTES * words - packed.shape[1])))
