"""One vector name's values in a tail, and whose they are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.vectors.kind import Growing, Vectors
from projector.view.growing import GrowingArray
from projector.view.unpack import Unpacked


class GrowingVectors:
    """Growing values, with the tail rows they belong to.

    As long as every tail row has the vector, a value's place and its tail row are the same and no slots are kept.
    """

    def __init__(self, values: Growing[Any]) -> None:
        self._values = values
        self._held = 0
        self._slots: GrowingArray[np.uint32] | None = None

    @property
    def storable(self) -> bool:
        """Whether points may be stored with the values in place of the vectors that they came with."""
        return self._values.storable

    def append(self, unpacked: Unpacked, first: int, count: int) -> None:
        """Append the vectors of ``count`` new tail rows that begin at row ``first``."""
        if self._slots is None and (unpacked.rows is not None or self._held != first):
            self._slots = GrowingArray(np.uint32)
            self._slots.extend(np.arange(self._held, dtype=np.uint32))
        if self._slots is not None:
            rows = np.arange(count) if unpacked.rows is None else unpacked.rows
            self._slots.extend((rows + first).astype(np.uint32))
        self._values.extend(unpacked.stored)
        self._held += len(unpacked.stored.lengths)

    def snapshot(self, bound: int) -> Vectors | None:
        """The values of the tail rows below ``bound``; None when there are none."""
        if self._slots is None:
            rows = min(self._held, bound)
            slots = None if rows == bound else np.arange(rows, dtype=np.uint32)
        else:
            rows = int(np.searchsorted(self._slots.all(), bound))
            slots = self._slots.rows(rows)
        return self._values.held(rows, slots) if rows else None

    def keep(self, rows: NDArray[np.int64]) -> "GrowingVectors":
        """The same for a new tail that is made of the tail rows ``rows``, ascending."""
        if self._slots is None:
            slots = np.flatnonzero(rows < self._held)
            taken = rows[slots]
        else:
            held = self._slots.all()
            taken = np.flatnonzero(np.isin(held, rows, assume_unique=True))
            slots = np.searchsorted(rows, held[taken])
        kept = GrowingVectors(self._values.take(taken))
        kept._held = len(taken)
        if len(slots) != len(rows):
            kept._slots = GrowingArray(np.uint32)
            kept._slots.extend(slots.astype(np.uint32))
        return kept
