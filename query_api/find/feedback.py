"""Relevance feedback, scored by the nearness to several vectors, each with a weight."""

from collections.abc import Sequence

import numpy as np

from query_api.find.compared import Comparison, Nearnesses
from query_api.plan.leaves import WeightedScores
from query_api.vectors.comparison import Floats


def _vectors(leaf: WeightedScores) -> Sequence[bytes]:
    return leaf.vectors


def _weighted(leaf: WeightedScores, nearness: Nearnesses) -> Floats:
    return (np.array(leaf.weights) @ nearness.astype(np.float64)).astype(np.float32)


WEIGHTED_SCORES = Comparison(_vectors, _weighted)
