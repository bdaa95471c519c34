"""Answers compared: scores to a tolerance, order but for points that are equally good."""

from collections.abc import Sequence
from math import isclose
from typing import Any

TOLERANCE = 1e-4
Answer = Sequence[tuple[Any, float]]
"""(id, score) in order."""
Groups = Sequence[tuple[Any, Answer]]
"""(what a group has in common, its points) in order."""


def close(one: float, other: float) -> bool:
    """Whether two scores are equal."""
    return isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-5)


def difference(ours: Answer, theirs: Answer) -> str | None:
    """What differs; None where nothing does. Of points as good as the last one, any may be the ones that are there."""
    if len(ours) != len(theirs):
        return f"{len(ours)} points, not {len(theirs)}"
    for place, ((_, mine), (_, other)) in enumerate(zip(ours, theirs, strict=True)):
        if not close(mine, other):
            return f"score {mine} at {place}, not {other}: {ours} {theirs}"
    scores = dict(theirs)
    last = theirs[-1][1] if theirs else 0.0
    for point, score in ours:
        if not close(scores.get(point, last), score):
            return f"point {point} has {score}, not {scores.get(point)}: {ours} {theirs}"
    return None


def group_difference(ours: Groups, theirs: Groups) -> str | None:
    """What differs of groups; None where nothing does. Groups whose first points are equally good may change places."""
    found = difference(_firsts(ours), _firsts(theirs))
    if found is not None:
        return f"first points of groups: {found}"
    expected = dict(theirs)
    for common, points in ours:
        if common in expected:
            found = difference(points, expected[common])
            if found is not None:
                return f"group {common}: {found}"
    return None


def _firsts(groups: Groups) -> Answer:
    return [(common, points[0][1]) for common, points in groups]
