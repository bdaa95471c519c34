"""Relevance feedback, by its definition."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api.plan.feedback import weights
from schemas.errors import UnprocessableError
from schemas.rest.queries import FeedbackItem, NaiveParams, NaiveStrategy, RelevanceFeedback

numbers = st.floats(-4, 4, width=16)


def feedback(scores: list[float], a: float, b: float, c: float) -> RelevanceFeedback:
    items = [FeedbackItem([0.0], score) for score in scores]
    return RelevanceFeedback([0.0], items, NaiveStrategy(NaiveParams(a, b, c)))


@given(
    scored=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6),
    target=numbers,
    a=numbers,
    b=st.floats(0, 3, width=16),
    c=numbers,
)
def test_pairs(scored: list[tuple[float, float]], target: float, a: float, b: float, c: float) -> None:
    expected = a * target
    for (better, near), (worse, nearer) in permutations(scored, 2):
        if better > worse:
            expected += (better - worse) ** b * c * (near - nearer)
    found = weights(feedback([score for score, _ in scored], a, b, c))
    nearness = [target, *(near for _, near in scored)]
    assert sum(w * n for w, n in zip(found, nearness, strict=True)) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    "asked", [feedback([], 1, 1, 1), feedback([1e300, -1e300], 1, 9, 1), feedback([1] * 513, 1, 1, 1)]
)
def test_what_is_refused(asked: RelevanceFeedback) -> None:
    with pytest.raises(UnprocessableError, match=r"query\.relevance_feedback"):
        weights(asked)
