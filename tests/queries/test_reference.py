"""Scores of every kind of query over every kind of vectors, beside their definitions."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.queries.comparison import close
from tests.queries.reference import Reference
from tests.queries.world import CONFIG, COUNT, NAMES, POINTS, Vectors
from tests.rest.client import MemoryRest

ROUNDS = 3
DIVERSITY = 0.4


@pytest.fixture(scope="module")
def rest() -> Iterator[MemoryRest]:
    made = MemoryRest()
    made.create(**CONFIG, shard_number=2)
    made.upsert(*POINTS)
    yield made
    made.close()


def found(rest: MemoryRest, name: str, query: Any, limit: int = COUNT) -> dict[Any, float]:
    body = {"query": query, "using": name, "limit": limit, "params": {"exact": True}}
    points = rest.result("POST", "/collections/c/points/query", json=body)["points"]
    return {point["id"]: point["score"] for point in points}


def same(ours: dict[Any, float], expected: dict[Any, float], what: str) -> None:
    assert ours.keys() == expected.keys(), what
    wrong = {point: (score, expected[point]) for point, score in ours.items() if not close(score, expected[point])}
    assert not wrong, f"{what}: {wrong}"


@pytest.mark.parametrize("name", NAMES)
def test_scores(name: str, rest: MemoryRest) -> None:
    reference = Reference(name, {each["id"]: each["vector"][name] for each in POINTS if name in each["vector"]})
    for number in range(ROUNDS):
        vectors = Vectors(f"reference {name} {number}")
        a, b, c, d, e = (vectors.of(name) for _ in range(5))
        same(found(rest, name, {"nearest": a}), reference.nearest(a), "nearest")
        examples = {"positive": [a, b], "negative": [c]}
        for strategy in ("best_score", "sum_scores"):
            asked = {"recommend": {**examples, "strategy": strategy}}
            same(found(rest, name, asked), getattr(reference, strategy)([a, b], [c]), strategy)
        negative = {"recommend": {"negative": [c, d], "strategy": "best_score"}}
        same(found(rest, name, negative), reference.best_score([], [c, d]), "negative")
        pairs = [{"positive": b, "negative": c}, {"positive": d, "negative": e}]
        asked = {"discover": {"target": a, "context": pairs}}
        same(found(rest, name, asked), reference.discover(a, [(b, c), (d, e)]), "discover")
        same(found(rest, name, {"context": pairs}), reference.context([(b, c), (d, e)]), "context")
        nearest = list(found(rest, name, {"nearest": a}, 15))
        diverse = found(rest, name, {"nearest": a, "mmr": {"diversity": DIVERSITY, "candidates_limit": 15}}, 8)
        assert list(diverse) == reference.diverse(a, nearest, DIVERSITY, 8)
