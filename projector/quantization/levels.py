"""Codes of a few bits a value.

What is quantized is the difference between a vector and the mean of all. Each of its values is compared with how far
that value is spread, and the whole with its own length: so a code is one of 2 ** bits levels, evenly apart and even in
number, the same for all values and rows. A row keeps the factor that makes the dot product of what its codes stand for
with the vector itself right (Gao and Long 2024, RaBitQ), by which those with other vectors are right on average.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.kernel import rotated
from projector.quantization.kind import Floats, Shape, sample_of
from schemas.vectors.params import Distance

_STEPS = {1: 1.5958, 2: 0.9957, 3: 0.5860, 4: 0.3352}
"""From one level to the next, by bits, where the mean square error is least for what is normally distributed with
variance 1 (Max 1960)."""
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Values, by their ``places`` in a vector, that have so many ``bits`` each."""

    bits: int
    places: NDArray[np.int64]

    def signed(self, codes: NDArray[np.integer]) -> Floats:
        """What codes stand for, in halves of a step."""
        return 2 * codes.astype(np.float32) - (2**self.bits - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What was found out about a segment's vectors: their mean, ``centre``, and how far each value is spread.

    ``signs``: [rounds, dim], those of a rotation; of no rounds where vectors aren't rotated. The spread is that of
    rotated ones.
    """

    centre: Floats
    spread: Floats
    signs: Floats

    @staticmethod
    def of(matrix: NDArray[Any], signs: Floats) -> "Measured":
        """Look at some of the rows of a matrix."""
        rows = sample_of(matrix)
        centre = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        spread = rotated(rows - centre, signs).std(axis=0, dtype=np.float64)
        largest = float(spread.max(initial=0.0))
        spread = np.maximum(spread, _LEAST_SPREAD * largest) if largest else np.ones_like(spread)
        return Measured(centre, spread.astype(np.float32), signs)

    @staticmethod
    def read(kept: Floats, dim: int, rounds: int) -> "Measured":
        """The inverse of ``kept``. Raises ValueError for another number of numbers."""
        if len(kept) != (2 + rounds) * dim:
            raise ValueError(f"centre, spread and signs are {(2 + rounds) * dim} numbers, not {len(kept)}")
        return Measured(kept[:dim], kept[dim : 2 * dim], kept[2 * dim :].reshape(rounds, dim))

    def kept(self) -> Floats:
        """Everything one after another."""
        return np.concatenate([self.centre, self.spread, self.signs.reshape(-1)])

    def widest(self, count: int) -> NDArray[np.int64]:
        """The places of the ``count`` values that are spread farthest, ascending."""
        return np.sort(np.argsort(-self.spread, kind="stable")[:count])


@dataclass(frozen=True, slots=True, eq=False)
class Levelled:
    """How vectors become levels, and queries weights of these."""

    shape: Shape
    measured: Measured
    levels: Sequence[Level]

    def coded(self, rows: Floats) -> tuple[Floats, list[NDArray[np.uint8]]]:
        """Each row's scale and offset, float32 [rows, 2], and for each level its codes, [rows, places]."""
        measured = self.measured
        off = rows - measured.centre
        turned = rotated(off, measured.signs)
        relative = turned / measured.spread
        length = np.sqrt(np.square(relative, dtype=np.float64).mean(axis=1, keepdims=True)).astype(np.float32)
        np.divide(relative, length, out=relative, where=length > 0)
        squares = np.square(turned, dtype=np.float64).sum(axis=1)
        along = np.zeros(len(rows))
        every: list[NDArray[np.uint8]] = []
        for level in self.levels:
            codes = _codes(relative[:, level.places], level.bits)
            stood_for = level.signed(codes) * self._units(level)
            along += np.einsum("ij,ij->i", stood_for, turned[:, level.places], dtype=np.float64)
            every.append(codes)
        head = np.zeros((len(rows), 2), np.float32)
        head[:, 0] = np.divide(squares, along, out=np.zeros_like(squares), where=along > 0)
        if self.shape.squared:
            head[:, 1] = squares
        elif self._centred:
            head[:, 1] = -(off @ measured.centre.astype(np.float64))
        return head, every

    def weighed(self, query: Floats) -> tuple[float, list[Floats]]:
        """A constant, and for each level what half a step of each place adds to a distance, times a row's scale."""
        measured = self.measured
        off = query - measured.centre if self._centred else query
        turned = rotated(off[np.newaxis], measured.signs)[0]
        if self.shape.squared:
            wide = off.astype(np.float64)
            constant, factor = float(wide @ wide), np.float32(-2)
        else:
            constant, factor = 1 - float(query.astype(np.float64) @ measured.centre), np.float32(-1)
        return constant, [factor * turned[level.places] * self._units(level) for level in self.levels]

    @property
    def _centred(self) -> bool:
        """Whether a query is seen from the centre, too.

        Not for Dot, where a query may be of any length: one that is short would be all but the centre.
        """
        return self.shape.distance is not Distance.DOT

    def _units(self, level: Level) -> Floats:
        return self.measured.spread[level.places] * np.float32(_STEPS[level.bits] / 2)


@dataclass(frozen=True, slots=True, eq=False)
class LevelledQuantizer:
    """What the quantizers have in common whose codes are levels, however these are packed."""

    levelled: Levelled

    def kept(self) -> Floats:
        """Centre, spread and signs."""
        return self.levelled.measured.kept()


def _codes(relative: Floats, bits: int) -> NDArray[np.uint8]:
    half = 1 << bits - 1
    return np.clip(np.floor(relative / np.float32(_STEPS[bits])) + half, 0, 2 * half - 1).astype(np.uint8)


def levels_of(bits: float, measured: Measured) -> list[Level]:
    """So many bits for each value; one and a half: two for those that are spread farther, one for the others."""
    every = np.arange(len(measured.centre))
    if bits != 1.5:
        return [Level(int(bits), every)]
    wide = measured.widest(-(-len(every) // 2))
    return [Level(2, wide), Level(1, np.setdiff1d(every, wide))]
