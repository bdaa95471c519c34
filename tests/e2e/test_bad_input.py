"""Bad requests: each is refused with a message that names what is wrong, and none does any harm."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.bad_requests import ALL, CREATE, GOOD, POINTS, SEARCH, Bad, nested
from tests.e2e.target import Target
from tests.support.http import Http

GROWTH_BYTES = 600 << 20
"""Far above what answering takes, far below what keeping a few of these bodies would."""
State = Callable[[], tuple[Any, Any]]


@pytest.fixture(scope="module")
def state(server: Target) -> State:
    """A collection of 20 points, and a function that says what it answers."""
    points = [{"id": i, "vector": [i, 1, 0, 0], "payload": {"a": i}} for i in range(1, 21)]
    with Http(server.port) as http:
        assert http.put(GOOD, CREATE).status == 200
        assert http.put(POINTS + "?wait=true", {"points": points}).status == 200

    def read() -> tuple[Any, Any]:
        with Http(server.port) as reader:
            count = reader.post(POINTS + "/count", {"exact": True}).result
            return count, reader.post(POINTS + "/query", SEARCH).result

    return read


@pytest.mark.parametrize("bad", ALL, ids=lambda bad: bad.name)
def test_is_refused_and_does_no_harm(bad: Bad, http: Http, state: State, server: Target) -> None:
    before, memory = state(), server.resident_bytes()
    body = bad.body if isinstance(bad.body, bytes) else bad.body()
    answer = http.send(bad.method, bad.path, body or None)
    shown = f"{answer.status} {answer.body[:400]!r}"
    assert answer.status in bad.statuses, shown
    assert isinstance(answer.json()["time"], float), shown
    assert re.search(bad.mentions, answer.error, re.IGNORECASE), shown
    assert "traceback" not in answer.error.lower()
    assert state() == before
    assert server.resident_bytes() - memory < GROWTH_BYTES


def test_a_filter_of_some_depth_is_fine(http: Http, state: State) -> None:
    assert state()[0] == {"count": 20}
    assert http.post(POINTS + "/count", {"filter": nested(8), "exact": True}).result == {"count": 1}


def test_of_an_id_that_comes_twice_the_later_counts(http: Http) -> None:
    assert http.put("/collections/twice", CREATE).status == 200
    points = [{"id": 1, "vector": [1, 1, 1, 1], "payload": {"n": n}} for n in (1, 2)]
    assert http.put("/collections/twice/points?wait=true", {"points": points}).status == 200
    assert http.post("/collections/twice/points/count", {"exact": True}).result == {"count": 1}
    assert http.get("/collections/twice/points/1").result["payload"] == {"n": 2}
    assert http.delete("/collections/twice").status == 200


def test_a_large_integer_in_a_payload_is_kept_as_it_is(http: Http) -> None:
    assert http.put("/collections/large", CREATE).status == 200
    point = {"id": 1, "vector": [1, 1, 1, 1], "payload": {"n": 10**400}}
    assert http.put("/collections/large/points?wait=true", {"points": [point]}).status == 200
    assert http.get("/collections/large/points/1").result["payload"] == {"n": 10**400}
    above = {"filter": {"must": [{"key": "n", "range": {"gt": 5}}]}, "exact": True}
    assert http.post("/collections/large/points/count", above).result == {"count": 1}
    assert http.delete("/collections/large").status == 200
