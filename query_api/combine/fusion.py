"""Fusion: several rankings as one."""

from collections.abc import Mapping, Sequence
from itertools import chain
from math import sqrt

from msgspec.structs import replace

from query_api.hits import Hit
from query_api.plan.tree import RankFusion, ScoreFusion
from query_api.sorting import in_order
from schemas.ids import PointId

_HIT_US = 3.0
_DEVIATIONS = 3.0
"""How many deviations on each side of the mean are brought to the range from 0 to 1."""


def by_ranks(node: RankFusion, rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Points by the sum over rankings of 1 / ((rank + 1) / weight + k - 1), ranks from 0."""
    weights = node.weights or (1.0,) * len(rankings)
    scores: dict[PointId, float] = {}
    for weight, hits in zip(weights, rankings, strict=True):
        for rank, hit in enumerate(hits):
            value = 1.0 / ((rank + 1) / weight + node.k - 1) if weight else 0.0
            scores[hit.id] = scores.get(hit.id, 0.0) + value
    return _ranked(scores, rankings)


def by_scores(_: ScoreFusion, rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Points by the sum of their scores, each brought to 0 to 1 by the mean and deviation of its ranking."""
    scores: dict[PointId, float] = {}
    for hits in rankings:
        for hit, value in zip(hits, _normalised([hit.score for hit in hits]), strict=True):
            scores[hit.id] = scores.get(hit.id, 0.0) + value
    return _ranked(scores, rankings)


def fusion_us(rankings: Sequence[Sequence[Hit]]) -> float:
    """How long either takes, in microseconds."""
    return sum(map(len, rankings)) * _HIT_US


def _normalised(scores: Sequence[float]) -> list[float]:
    """Where all scores are equal, there is nothing to tell them apart, and each is 0.5."""
    if len(scores) < 2:
        return [0.5] * len(scores)
    mean = sum(scores) / len(scores)
    deviation = sqrt(sum((score - mean) ** 2 for score in scores) / (len(scores) - 1))
    if deviation == 0.0:
        return [0.5] * len(scores)
    low, width = mean - _DEVIATIONS * deviation, 2 * _DEVIATIONS * deviation
    return [(score - low) / width for score in scores]


def _ranked(scores: Mapping[PointId, float], rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    found: dict[PointId, Hit] = {}
    for hit in chain.from_iterable(rankings):
        found.setdefault(hit.id, hit)
    return list(in_order(replace(found[i], order=-score, score=score) for i, score in scores.items()))
