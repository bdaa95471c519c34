"""One vector name's values in a tail."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from projector.view.growing import GrowingArray
from projector.view.unpack import Unpacked
from schemas.config import Distance, VectorParams
from schemas.vectors.normalise import normalise


@dataclass(frozen=True, slots=True, eq=False)
class TailVectors:
    """The values one view sees; ``projector.view.part.Vectors``."""

    matrix: NDArray[np.float32]
    slots: NDArray[np.uint32] | None


class GrowingVectors:
    """A growing float32 matrix, normalised for Cosine, with the tail rows its rows belong to.

    As long as every tail row has the vector, matrix row and tail row are the same and no slots are kept.
    """

    def __init__(self, params: VectorParams) -> None:
        self._cosine = params.distance is Distance.COSINE
        self._matrix: GrowingArray[np.float32] = GrowingArray(np.float32, params.size)
        self._slots: GrowingArray[np.uint32] | None = None

    def append(self, unpacked: Unpacked, first: int, count: int) -> None:
        """Append the vectors of ``count`` new tail rows that begin at row ``first``."""
        held = self._matrix.size
        if self._slots is None and (unpacked.rows is not None or held != first):
            self._slots = GrowingArray(np.uint32)
            self._slots.extend(np.arange(held, dtype=np.uint32))
        if self._slots is not None:
            rows = np.arange(count) if unpacked.rows is None else unpacked.rows
            self._slots.extend((rows + first).astype(np.uint32))
        self._matrix.extend(normalise(unpacked.matrix) if self._cosine else unpacked.matrix)

    def snapshot(self, bound: int) -> TailVectors | None:
        """The values of the tail rows below ``bound``; None when there are none."""
        if self._slots is None:
            rows = min(self._matrix.size, bound)
            slots = None if rows == bound else np.arange(rows, dtype=np.uint32)
        else:
            rows = int(np.searchsorted(self._slots.all(), bound))
            slots = self._slots.rows(rows)
        return TailVectors(self._matrix.rows(rows), slots) if rows else None

    def keep(self, params: VectorParams, rows: NDArray[np.int64]) -> "GrowingVectors":
        """The same for a new tail that is made of the tail rows ``rows``, ascending."""
        kept = GrowingVectors(params)
        if self._slots is None:
            slots = np.flatnonzero(rows < self._matrix.size)
            taken = rows[slots]
        else:
            held = self._slots.all()
            taken = np.flatnonzero(np.isin(held, rows, assume_unique=True))
            slots = np.searchsorted(rows, held[taken])
        kept._matrix.extend(self._matrix.all()[taken])
        if len(slots) != len(rows):
            kept._slots = GrowingArray(np.uint32)
            kept._slots.extend(slots.astype(np.uint32))
        return kept
