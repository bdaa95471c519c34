"""Chunks: however small, they lead to the same state and the same outcomes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.fold.fold import fold
from projector.frames import Changes
from schemas.operations import DeletePayload, DeletePoints, Operation, SetPayload
from schemas.records import PartitionRecord
from tests.projector.fold import strategies
from tests.projector.fold.memory_state import OPENED, SHARD, MemoryState, match, opened, points_record, upsert


@settings(max_examples=50)
@given(records=st.lists(strategies.records, max_size=8), chunk=st.integers(1, 9))
def test_any_chunk_size_gives_the_same_state_and_outcomes(records: list[PartitionRecord], chunk: int) -> None:
    whole, chunked = MemoryState(), MemoryState()
    for record in [OPENED, *records]:
        expected, found = whole.apply(record), chunked.apply(record, chunk)
        assert found[-1].outcomes == expected[-1].outcomes
    assert chunked.metas == whole.metas
    assert chunked.stored == whole.stored


@settings(max_examples=50)
@given(records=st.lists(strategies.records, max_size=8), chunk=st.integers(1, 9))
def test_events_tell_everything_that_changed(records: list[PartitionRecord], chunk: int) -> None:
    state = MemoryState()
    followed: dict[object, bytes] = {}
    for record in [OPENED, *records]:
        for effects in state.apply(record, chunk):
            changes = [event for event in effects.events if isinstance(event, Changes) and event.shard == SHARD]
            for event in changes:
                assert len(set(event.ids)) == len(event.ids) == len(event.points)
                followed.update((i, p) for i, p in zip(event.ids, event.points, strict=True) if p is not None)
                for gone in [i for i, p in zip(event.ids, event.points, strict=True) if p is None]:
                    followed.pop(gone, None)
        if SHARD not in state.metas:
            followed.clear()
    assert sorted(followed.values()) == sorted(state.stored.get(SHARD, {}).values())


@settings(max_examples=50)
@given(records=st.lists(strategies.records, max_size=8))
def test_versions_are_dense(records: list[PartitionRecord]) -> None:
    state = opened()
    for record in records:
        before = {shard: meta.version for shard, meta in state.metas.items()}
        last = state.apply(record, chunk=3)[-1]
        if last.shard in before and last.shard in state.metas and not last.marker_seq:
            applied = sum(outcome.applied for outcome in last.outcomes)
            assert state.metas[last.shard].version == before[last.shard] + applied


@pytest.mark.parametrize(
    "operation",
    [
        SetPayload(b'{"x":1}', filter={}),
        SetPayload(b'{"x":1}', ids=list(range(100))),
        DeletePoints(filter={}),
        DeletePoints(ids=list(range(100))),
    ],
)
def test_a_chunk_is_no_larger_than_it_may_be(operation: Operation) -> None:
    state = opened()
    state.run(upsert(dict.fromkeys(range(100))))
    found = state.apply(points_record(operation), chunk=30)
    sizes = [len(effects.points) for effects in found]
    assert sum(sizes) == 100
    assert max(sizes) == 30
    assert [effects.chunk for effects in found] == list(range(len(found)))
    assert len(state.stored[SHARD]) == (100 if isinstance(operation, SetPayload) else 0)
    assert set(state.versions().values()) <= {2}


def test_operations_after_many_changes_begin_with_a_commit() -> None:
    state = opened()
    state.run(upsert(dict.fromkeys(range(40))))
    steps = [SetPayload(b'{"x":%d}' % step, ids=list(range(step * 10, step * 10 + 10))) for step in range(4)]
    found = state.apply(points_record(*steps), chunk=20)
    assert [len(effects.points) for effects in found] == [20, 20]
    assert [outcome.applied for outcome in found[-1].outcomes] == [True] * 4
    assert set(state.versions().values()) == {2, 3, 4, 5}


def test_a_missing_id_far_down_the_list_rejects_all_of_it() -> None:
    state = opened()
    state.run(upsert(dict.fromkeys(range(50))))
    found = state.apply(points_record(DeletePayload(["a"], ids=[*range(50), 404])), chunk=10)
    assert [outcome.status for outcome in found[-1].outcomes] == [404]
    assert len(found) == 1
    assert set(state.versions().values()) == {1}


def test_the_points_of_a_chunk_are_looked_at_once() -> None:
    """A point that an operation makes match its own filter, or stop matching it, is not looked at again."""
    state = opened()
    state.run(upsert({i: {"n": i % 2} for i in range(10)}))
    state.run(SetPayload(b'{"n":1}', filter=match("n", 0)), chunk=1)
    state.run(SetPayload(b'{"n":0}', filter=match("n", 1)), chunk=2)
    assert state.payloads() == {i: {"n": 0} for i in range(10)}


def test_the_fold_changes_nothing_by_itself() -> None:
    state = opened()
    state.run(upsert({1: {"a": 1}}))
    before: Any = (dict(state.metas), {shard: dict(points) for shard, points in state.stored.items()})
    record = points_record(DeletePoints(ids=[1]), upsert({2: None}))
    assert fold(state, record, 9) == fold(state, record, 9)
    assert before == (state.metas, state.stored)
