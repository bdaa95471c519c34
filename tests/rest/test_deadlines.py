"""A request has one time-out, which all its parts share. The clock stands still but where a test moves it."""

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, TypeVar

import pytest

from ingest.deadline import Deadline
from ingest.log import Headers, Topic
from query_api.find import kinds
from query_api.threads import ReadThreads
from schemas.operations import Outcome
from tests.rest.client import VECTORS, MemoryRest

POINTS = "/collections/c/points"
WRITE = {"points": [{"id": 1, "vector": [1, 0]}]}
QUERY = {"query": [1, 0], "filter": {"must": [{"has_id": [1]}]}}
PART = 30.0
"""How long each part of a request takes here."""
ResultT = TypeVar("ResultT")


@pytest.mark.parametrize("digits", [20, 400, 4000])
def test_a_time_out_of_any_length(memory: MemoryRest, digits: int) -> None:
    memory.create()
    assert memory.result("PUT", f"{POINTS}?wait=true&timeout={'9' * digits}", json=WRITE)["status"] == "completed"


def _long(*_: object) -> float:
    return inf


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch, memory: MemoryRest) -> list[float]:
    """How much was left of a request's time as each of its parts after an append began."""
    seen: list[float] = []
    now = 1e6
    node = memory.node
    append, wait, run = node.log.append, node.wait, ReadThreads.run

    def part() -> None:
        nonlocal now
        now += PART

    async def slow_append(
        topic: Topic, partition: int, value: bytes | None, *, key: bytes | None = None, headers: Headers = ()
    ) -> int:
        part()
        return await append(topic, partition, value, key=key, headers=headers)

    async def slow_wait(topic: Topic, partition: int, offset: int, deadline: Deadline) -> Sequence[Outcome]:
        seen.append(deadline.left())
        part()
        return await wait(topic, partition, offset, deadline)

    async def slow_run(threads: ReadThreads, function: Callable[[], ResultT], deadline: Deadline) -> ResultT:
        seen.append(deadline.left())
        part()
        return await run(threads, function, deadline)

    memory.create()
    monkeypatch.setattr("ingest.deadline.monotonic", lambda: now)
    monkeypatch.setattr(node.log, "append", slow_append)
    monkeypatch.setattr(node, "wait", slow_wait)
    monkeypatch.setattr(ReadThreads, "run", slow_run)
    monkeypatch.setattr(kinds, "filter_us", _long)
    return seen


def test_waiting_gets_what_the_append_left(memory: MemoryRest, left: list[float]) -> None:
    params: dict[str, Any] = {"wait": "true", "timeout": 100}
    assert memory.result("PUT", POINTS, params=params, json=WRITE)["status"] == "completed"
    memory.result("PUT", "/collections/d", params=params, json={"vectors": VECTORS})
    assert left == [70, 70]


def test_an_append_that_took_all_the_time_is_accepted(memory: MemoryRest, left: list[float]) -> None:
    memory.node.stalled = True
    params: dict[str, Any] = {"wait": "true", "timeout": 30}
    assert memory.result("PUT", POINTS, params=params, json=WRITE)["status"] == "wait_timeout"
    message = memory.error(408, "PUT", "/collections/d", params=params, json={"vectors": VECTORS})
    assert "accepted as offset 1, but was not yet visible after 30 seconds" in message
    assert left == [0, 0]


def test_reading_gets_what_waiting_for_a_token_left(memory: MemoryRest, left: list[float]) -> None:
    token = {"x-headwater-offsets": "0:0,catalog:0"}
    memory.result("POST", f"{POINTS}/query", params={"timeout": 100}, headers=token, json=QUERY)
    assert left == [100, 70, 40]


def test_the_queries_of_a_batch_share_the_time(memory: MemoryRest, left: list[float]) -> None:
    body = {"searches": [QUERY] * 3}
    memory.result("POST", f"{POINTS}/query/batch", params={"timeout": 95}, json=body)
    assert left == [95, 65, 35]
    message = memory.error(408, "POST", f"{POINTS}/query/batch", params={"timeout": 60}, json=body)
    assert message == "Timeout: the request took longer than 60 seconds"
    assert left[3:] == [60, 30, 0]
