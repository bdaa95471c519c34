"""Leaves that compare with several vectors, against their definitions."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query_api.find import compared
from query_api.hits import Hit
from query_api.plan.leaves import BestScore, Compared, Context, Discover, SumScores
from query_api.plan.selection import Selection
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId
from tests.query_api.engine import found
from tests.query_api.shard_model import ShardModel, Vector, reference_score
from tests.query_api.strategies import SIZES, collections, filters, values
from tests.support.examples import tries

examples = st.lists(st.lists(values, min_size=SIZES["a"], max_size=SIZES["a"]), min_size=1, max_size=3)


def stored(vectors: list[list[float]]) -> tuple[bytes, ...]:
    return tuple(np.array(vector, np.float32).tobytes() for vector in vectors)


def nearness(distance: Distance, query: bytes, vector: Vector) -> float:
    score = reference_score(distance, np.frombuffer(query, np.float32), vector)
    if distance is Distance.EUCLID:
        return -score * score
    return score if distance.higher_is_nearer else -score


def sigmoid(value: float) -> float:
    return 0.5 * (value / (1 + abs(value)) + 1)


def expected(leaf: Compared, distance: Distance, vector: Vector) -> float:
    """A point's score by its definition."""
    match leaf:
        case BestScore():
            positive = max((nearness(distance, q, vector) for q in leaf.positive), default=-np.inf)
            negative = max((nearness(distance, q, vector) for q in leaf.negative), default=-np.inf)
            return sigmoid(positive) if positive > negative else -sigmoid(negative)
        case SumScores():
            gained = sum(nearness(distance, q, vector) for q in leaf.positive)
            return gained - sum(nearness(distance, q, vector) for q in leaf.negative)
        case Discover():
            sides = [np.sign(nearness(distance, p, vector) - nearness(distance, n, vector)) for p, n in leaf.pairs]
            return float(sum(sides)) + sigmoid(nearness(distance, leaf.target, vector))
        case Context():
            missing = [nearness(distance, p, vector) - nearness(distance, n, vector) for p, n in leaf.pairs]
            return sum(min(m, 0.0) / (1 + abs(min(m, 0.0))) for m in missing)
        case _:
            raise AssertionError(leaf)


@st.composite
def leaves(draw: st.DrawFn) -> BestScore | SumScores | Context:
    common: dict[str, Any] = {"limit": draw(st.integers(1, 12)), "using": "a", "filter": draw(filters)}
    positive, negative = stored(draw(examples)), stored(draw(examples))
    pairs = tuple(zip(positive, negative, strict=False))
    kinds = (
        BestScore(positive=positive, negative=negative, **common),
        SumScores(positive=positive, negative=negative, **common),
        Context(pairs=pairs, **common),
    )
    return draw(st.sampled_from(kinds))


@settings(max_examples=tries(60), deadline=None)
@given(model=collections(), leaf=leaves())
def test_scores(model: ShardModel, leaf: BestScore | SumScores | Context) -> None:
    distance = model.config.vectors["a"].distance
    scores = {p.id: expected(leaf, distance, p.vectors["a"]) for p in model.matching(leaf.filter) if "a" in p.vectors}
    best = sorted(scores.values(), reverse=True)[: leaf.limit]
    hits = found(model.views, leaf, Selection(with_payload=False))
    assert [hit.score for hit in hits] == pytest.approx(best, rel=1e-5, abs=1e-5)
    assert {hit.id: hit.score for hit in hits} == pytest.approx({h.id: scores[h.id] for h in hits}, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("deleted", [0, 3])
def test_of_many_equal_points_of_a_segment_only_those_that_are_answered_become_hits(
    deleted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ShardModel(CollectionConfig(vectors={"a": VectorParams(2, Distance.DOT)}))
    for i in reversed(range(100)):
        model.upsert(PointId(i), {"a": [1.0 + i % 10, 1.0]}, {})
    model.publish()
    model.seal(merge=False, graph=False)
    for i in range(deleted):
        model.delete(PointId(i))
    model.publish()
    made: list[PointId] = []

    def counting(order: float, point_id: PointId, *rest: Any) -> Hit:
        made.append(point_id)
        return Hit(order, point_id, *rest)

    monkeypatch.setattr(compared, "Hit", counting)
    pairs = tuple(zip(stored([[1.0, 0.0]]), stored([[-1.0, 0.0]]), strict=True))
    leaf = Context(limit=5, using="a", excluded=frozenset({PointId(4)}), pairs=pairs)
    answered = [point.id for point in found(model.views, leaf, Selection(with_payload=False))]
    assert answered == [i for i in range(deleted, 100) if i != 4][:5]
    assert len(made) == leaf.wanted


def test_a_context_without_pairs_is_met_by_all() -> None:
    model = ShardModel(CollectionConfig(vectors={"a": VectorParams(2, Distance.DOT)}))
    for i in range(3):
        model.upsert(PointId(i), {"a": [1.0 + i, 1.0]}, {})
    model.publish()
    answered = found(model.views, Context(limit=2, using="a", pairs=()), Selection(with_payload=False))
    assert [(point.id, point.score) for point in answered] == [(0, 0.0), (1, 0.0)]
