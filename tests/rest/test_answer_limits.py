"""Answers that would be too large are refused before anything is searched."""

from collections.abc import Iterator
from typing import Any

import pytest

from ingest.http.limits import Limits
from tests.rest.client import MemoryRest

POINTS = "/collections/c/points"
LIMITS = Limits(max_batch_results=25, max_vector_values=50)
"""50 numbers: 10 points of the collection's, which have five in two vectors."""


@pytest.fixture
def limited() -> Iterator[MemoryRest]:
    client = MemoryRest(limits=LIMITS)
    client.create(vectors={"a": {"size": 2, "distance": "Dot"}, "b": {"size": 3, "distance": "Dot"}})
    yield client
    client.close()


def fill(rest: MemoryRest, count: int = 20) -> None:
    rest.upsert(*[{"id": n, "vector": {"a": [n, 1], "b": [n, 2, 3]}} for n in range(count)])


def test_results_of_a_batch(limited: MemoryRest) -> None:
    for limits, total in (((25,), 25), ((10, 10, 5), 25), ((10, 10, 6), 26), ((26,), 26)):
        queries: list[Any] = [{"query": [1, 0], "using": "a", "limit": n - 1, "offset": 1} for n in limits]
        searches: list[Any] = [{"vector": {"name": "a", "vector": [1, 0]}, "limit": n} for n in limits]
        for path, body in (("/query/batch", queries), ("/search/batch", searches)):
            response = limited.send("POST", f"{POINTS}{path}", json={"searches": body})
            assert response.status_code == (200 if total <= 25 else 422), response.text
    unlimited = {"searches": [{"query": [1, 0], "using": "a"}] * 3}
    assert "at most 25, not 30" in limited.error(422, "POST", f"{POINTS}/query/batch", json=unlimited)


LARGE: list[tuple[str, Any]] = [
    ("/scroll", {"limit": 11}),
    ("/query", {"limit": 11}),
    ("/query", {"query": [1, 0], "using": "a", "limit": 11}),
    ("/search", {"vector": {"name": "a", "vector": [1, 0]}, "limit": 11}),
    ("", {"ids": list(range(11))}),
]


@pytest.mark.parametrize(("path", "body"), LARGE)
def test_numbers_of_vectors(limited: MemoryRest, path: str, body: Any) -> None:
    fill(limited)
    error = limited.error(422, "POST", f"{POINTS}{path}", json={**body, "with_vector": True})
    assert "at most 50 numbers, not 55" in error
    assert "ask for fewer points" in error
    for selection in (False, [], ["b"], ["a"]):
        limited.result("POST", f"{POINTS}{path}", json={**body, "with_vector": selection})
    fewer = {"ids": list(range(10))} if "ids" in body else {**body, "limit": 10}
    limited.result("POST", f"{POINTS}{path}", json={**fewer, "with_vector": True})


def test_numbers_of_vectors_of_a_batch(limited: MemoryRest) -> None:
    fill(limited)
    one = {"query": [1, 0], "using": "a", "limit": 5, "with_vector": True}
    limited.result("POST", f"{POINTS}/query/batch", json={"searches": [one, one, {"limit": 3}]})
    three = {"searches": [one, one, {"limit": 3, "with_vector": ["a"]}]}
    assert "not 56" in limited.error(422, "POST", f"{POINTS}/query/batch", json=three)


def test_points_that_are_not_there_have_no_numbers(limited: MemoryRest) -> None:
    fill(limited, 10)
    assert len(limited.scroll(limit=1000, with_vector=True)) == 10
    retrieved = {"ids": list(range(1000)), "with_vector": True}
    assert len(limited.result("POST", POINTS, json=retrieved)) == 10
