"""Maximal marginal relevance: near points that are unlike those before them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from query_api.hits import Hit
from schemas.config import Distance

Matrix = NDArray[np.float64]


def diversified(hits: Sequence[Hit], vectors: Matrix, distance: Distance, diversity: float, limit: int) -> list[Hit]:
    """The first ``limit`` of a greedy choice among nearest points; ``vectors`` is float64 [hits, dim].

    Each next one is the best by (1 - diversity) of its nearness to the query less diversity of its nearness to the
    nearest that was chosen. Scores stay those of the hits.
    """
    relevance = -np.array([hit.order for hit in hits], np.float64)
    if distance is Distance.EUCLID:
        relevance *= -relevance
    nearest = np.full(len(hits), -np.inf)
    left = np.ones(len(hits), np.bool_)
    chosen: list[Hit] = []
    while len(chosen) < min(limit, len(hits)):
        penalty = np.where(np.isinf(nearest), 0.0, nearest) * diversity
        value = np.where(left, (1.0 - diversity) * relevance - penalty, -np.inf)
        at = int(np.argmax(value))
        left[at] = False
        nearest = np.maximum(nearest, similarity(vectors, vectors[at], distance))
        chosen.append(hits[at]._replace(order=float(len(chosen))))
    return chosen


def similarity(rows: Matrix, vector: Matrix, distance: Distance) -> Matrix:
    """Larger is nearer; for Euclid minus the squared distance."""
    if distance.higher_is_nearer:
        return rows @ vector
    difference = rows - vector
    if distance is Distance.EUCLID:
        return -np.einsum("ij,ij->i", difference, difference)
    return -np.abs(difference).sum(axis=1)
