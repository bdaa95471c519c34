"""Search codes of a matrix that grows at its end, made of what came since when they are asked for."""

from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelSearchCodes, encoded
from projector.quantization.kind import Floats, float_blocks
from projector.quantization.search_codes import LEAST_ROWS, centre_of, is_too_large
from projector.view.growing import GrowingArray
from schemas.vectors.params import Distance

_HEAD = 8
"""Bytes of a row's codes before its first value's."""


class GrowingCodes:
    """One matrix's. Any thread may ask for them."""

    def __init__(self, dim: int, distance: Distance) -> None:
        """``dim``: how many values a row has."""
        self._measure = distance.lower()
        self._rows: GrowingArray[np.uint8] = GrowingArray(np.uint8, _HEAD + dim)
        self._centre: Floats | None = None
        self._sizes = np.zeros(3)
        self._too_large = False
        self._last: tuple[int, KernelSearchCodes] | None = None
        self._lock = Lock()

    def of(self, matrix: NDArray[Any], most: int | None = None) -> KernelSearchCodes | None:
        """Those of the first rows, [rows, dim]; None where they are few, or hold what is too large for codes.

        Also None where more than ``most`` rows have none yet: it makes those of so many.
        """
        rows = len(matrix)
        if rows < LEAST_ROWS:
            return None
        with self._lock:
            last = self._last
            if last is not None and last[0] == rows:
                return last[1]
            end = rows if most is None else min(rows, self._rows.size + most)
            if end > self._rows.size:
                self._encode(matrix[:end])
            if self._centre is None or self._too_large or self._rows.size < rows:
                return None
            # What sizes grew by since is no less true of the first rows.
            error, length, scale = self._sizes.tolist()
            codes = KernelSearchCodes(self._rows.rows(rows), self._centre, self._measure, error, length, scale)
            self._last = rows, codes
            return codes

    def missing(self, rows: int) -> int:
        """How many of the first ``rows`` have no codes yet, and are to get some."""
        return 0 if rows < LEAST_ROWS or self._too_large else max(0, rows - self._rows.size)

    def _encode(self, matrix: NDArray[Any]) -> None:
        """Make the codes that are missing, up to what is too large for them."""
        if self._centre is None and not self._too_large:
            self._centre = centre_of(matrix)
            self._too_large = self._centre is None
        for block in float_blocks(matrix[self._rows.size :]):
            if self._too_large or self._centre is None:
                return
            self._too_large = is_too_large(block)
            if not self._too_large:
                codes, *theirs = encoded(block, self._centre, self._measure)
                self._rows.extend(codes)
                self._sizes = np.maximum(self._sizes, theirs)
