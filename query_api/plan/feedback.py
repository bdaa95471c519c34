"""Relevance feedback: a target, and examples that were scored by how relevant they are."""

from itertools import combinations
from math import isfinite

from schemas.errors import UnprocessableError
from schemas.rest.queries import RelevanceFeedback

MAX_EXAMPLES = 512


def weights(asked: RelevanceFeedback) -> tuple[float, ...]:
    """What the nearness to the target, then to each example counts.

    Every pair of examples counts the difference of the nearness to its two, the more relevant one's less the other's,
    c times the difference of their scores to the power of b; the target counts a. Raises UnprocessableError.
    """
    items, strategy = asked.feedback, asked.strategy.naive
    if not items:
        raise _refused("feedback elements must be non-empty")
    if len(items) > MAX_EXAMPLES:
        raise _refused(f"at most {MAX_EXAMPLES} feedback elements, not {len(items)}")
    found = [0.0] * len(items)
    for (one, first), (other, second) in combinations(enumerate(items), 2):
        difference = first.score - second.score
        if difference:
            try:
                weight = abs(difference) ** strategy.b * strategy.c
            except OverflowError:
                weight = float("inf")
            better, worse = (one, other) if difference > 0 else (other, one)
            found[better] += weight
            found[worse] -= weight
    if not all(map(isfinite, found)):
        raise _refused("differences of scores to the power of b are too large")
    return (strategy.a, *found)


def _refused(text: str) -> UnprocessableError:
    return UnprocessableError(f"Validation error in JSON body: [query.relevance_feedback: {text}]")
