"""Recommendations, scored by positive and negative examples."""

from collections.abc import Sequence

import numpy as np

from query_api.find.compared import Comparison, Nearnesses
from query_api.find.sigmoid import sigmoid
from query_api.plan.leaves import BestScore, SumScores
from query_api.vectors.comparison import Floats


def _examples(leaf: BestScore | SumScores) -> Sequence[bytes]:
    return (*leaf.positive, *leaf.negative)


def _best_score(leaf: BestScore, nearness: Nearnesses) -> Floats:
    count = len(leaf.positive)
    positive = nearness[:count].max(axis=0, initial=-np.inf)
    negative = nearness[count:].max(axis=0, initial=-np.inf)
    sign = (positive > negative) * np.float32(2.0) - np.float32(1.0)
    return sigmoid(np.maximum(positive, negative)) * sign


def _sum_scores(leaf: SumScores, nearness: Nearnesses) -> Floats:
    count = len(leaf.positive)
    return nearness[:count].sum(axis=0) - nearness[count:].sum(axis=0)


BEST_SCORE = Comparison(_examples, _best_score)
SUM_SCORES = Comparison(_examples, _sum_scores)
