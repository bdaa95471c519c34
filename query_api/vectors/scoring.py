"""Scores. One function gives those that are answered, whatever part a point is in and however it was found."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelSearchCodes, nearest, normalised, scores
from schemas.config import Distance

Floats = NDArray[np.float32]
Rows = NDArray[Any]


class Scorer(msgspec.Struct, frozen=True, eq=False):
    """Compares one query, float32 [dim], with rows of any datatype, [rows, dim].

    Both are normalised for Cosine; rows of uint8 are when they are compared.

    *Scores* are Qdrant's: the dot product for Cosine and Dot, the length of the difference for Euclid, the sum of its
    absolute values for Manhattan. *Nearness* orders them all alike: larger is nearer.
    """

    distance: Distance
    query: Floats

    @staticmethod
    def of(distance: Distance, vector: Floats) -> "Scorer":
        """Prepare a query; a zero vector is as near to everything as to nothing under Cosine."""
        return Scorer(distance, normalised(vector) if distance is Distance.COSINE else vector)

    @property
    def measure(self) -> str:
        """The distance as the kernel calls it."""
        return self.distance.lower()

    def scores(self, matrix: Rows, rows: NDArray[np.int64] | None = None) -> Floats:
        """The scores of some rows of a matrix, or of all, float32 [rows].

        They are summed in float64, so that equal vectors score equal wherever they are.
        """
        return scores(matrix, self.measure, self.query[np.newaxis], rows)[0]

    def nearest(
        self, matrix: Rows, wanted: int, chosen: NDArray[Any] | None, codes: KernelSearchCodes | None = None
    ) -> tuple[NDArray[np.int64], Floats]:
        """The nearest of all rows, or of those that are ``chosen`` (``Findable.chosen``), and their scores.

        ``codes``: the rows' search codes, by which the same are found sooner.
        """
        return nearest(matrix, self.measure, self.query, wanted, chosen, codes=codes)
