"""Maximal marginal relevance: near points that are unlike those before them."""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from query_api.combine.alike import Alike
from query_api.hits import Hit


def diversified(hits: Sequence[Hit], alike: Alike, diversity: float, limit: int) -> list[Hit]:
    """The first ``limit`` of a greedy choice among nearest points, whose vectors are ``alike``.

    Each next one is the best by (1 - diversity) of its nearness to the query less diversity of its nearness to the
    nearest that was chosen. Scores stay those of the hits.
    """
    relevance = -np.array([hit.order for hit in hits], np.float64)
    if alike.squared:
        relevance *= -relevance
    nearest = np.full(len(hits), -np.inf)
    left = np.ones(len(hits), np.bool_)
    chosen: list[Hit] = []
    while len(chosen) < min(limit, len(hits)):
        penalty = np.where(np.isinf(nearest), 0.0, nearest) * diversity
        value = np.where(left, (1.0 - diversity) * relevance - penalty, -np.inf)
        at = int(np.argmax(value))
        left[at] = False
        nearest = np.maximum(nearest, alike.to(at))
        chosen.append(replace(hits[at], order=float(len(chosen))))
    return chosen


def diversified_us(hits: int, alike: Alike, limit: int) -> float:
    """About how long that takes, in microseconds."""
    return min(limit, hits) * alike.us
