"""Vectors of length one, for Cosine."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

UNIT_TOLERANCE = 1e-6


def normalise(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows of ``matrix``, float32 [rows, dim], divided by their lengths; always a new array.

    A zero row stays zero. A row whose squared length is within 1e-6 of one stays as it is, bit for bit, so
    normalising twice changes nothing. Lengths are computed in float64: no float32 value over- or underflows.
    """
    if len(matrix) == 1:
        # Most writes are of one row: numbers take a quarter of what arrays of one take.
        return _normalise_row(matrix)
    squares = np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64)
    keep = (np.abs(squares - 1.0) <= UNIT_TOLERANCE) | (squares == 0.0)
    lengths = np.sqrt(squares)
    lengths[keep] = 1.0
    # Rounded piece by piece, in the processor's cache.
    whole = np.empty(matrix.shape, np.float32)
    return np.divide(matrix, lengths[:, np.newaxis], out=whole, dtype=np.float64, casting="same_kind")


def _normalise_row(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same for a matrix of one row."""
    wide = matrix.astype(np.float64)
    square = float(np.einsum("ij,ij->i", wide, wide)[0])
    if abs(square - 1.0) <= UNIT_TOLERANCE or square == 0.0:
        return matrix.copy()
    return (wide / sqrt(square)).astype(np.float32)
