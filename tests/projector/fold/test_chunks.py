"""Chunks: however small, they lead to the same state and the same outcomes."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Cursor, Effects
from projector.fold.fold import Fold
from projector.fold.outcomes import APPLIED, SKIPPED
from projector.frames import Changes, ShardId
from schemas.ids import PointId, WireId
from schemas.operations import DeletePayload, DeletePoints, Operation, Outcome, SetPayload, UpdateVectors
from schemas.records import PartitionRecord
from schemas.vectors.dense import DenseColumn
from tests.projector.fold import strategies
from tests.projector.fold.memory_state import OPENED, SHARD, MemoryState, match, opened, points_record, upsert
from tests.projector.fold.one import fold_one
from tests.support.examples import tries

_few_match = st.builds(match, st.just("a"), st.integers(0, 30))
_by_filter: st.SearchStrategy[Operation] = st.one_of(
    st.builds(SetPayload, st.sampled_from([b'{"a":3}', b'{"b":1}']), filter=_few_match),
    st.builds(DeletePoints, filter=_few_match),
)


class CountingState(MemoryState):
    """Counts the points that each chunk looked at."""

    def __init__(self) -> None:
        super().__init__()
        self._reading = 0
        self.looked_at: list[int] = []

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> Sequence[bytes | None]:
        self._reading += len(ids)
        return super().points(shard, ids)

    def scan(self, shard: ShardId, after: PointId | None) -> Iterator[tuple[PointId, bytes]]:
        for found in super().scan(shard, after):
            self._reading += 1
            yield found

    def commit(self, effects: Effects) -> None:
        super().commit(effects)
        self.looked_at.append(self._reading)
        self._reading = 0


@settings(max_examples=tries(50))
@given(
    records=st.lists(strategies.records, max_size=8),
    chunk=st.integers(1, 9),
    size=st.one_of(st.integers(1, 300), st.just(1 << 20)),
)
def test_any_chunk_size_gives_the_same_state_and_outcomes(
    records: list[PartitionRecord], chunk: int, size: int
) -> None:
    whole, chunked = MemoryState(), MemoryState()
    for record in [OPENED, *records]:
        expected, found = whole.apply(record), chunked.apply(record, chunk, size)
        assert found[-1].outcomes == expected[-1].outcomes
    assert chunked.metas == whole.metas
    assert chunked.stored == whole.stored


@settings(max_examples=tries(50))
@given(operations=st.lists(_by_filter, max_size=20), chunk=st.integers(1, 20))
def test_many_operations_are_cut_as_one_is(operations: list[Operation], chunk: int) -> None:
    whole, chunked = MemoryState(), CountingState()
    for record in (OPENED, points_record(upsert({i: {"a": i} for i in range(7)})), points_record(*operations)):
        expected, found = whole.apply(record), chunked.apply(record, chunk)
        assert found[-1].outcomes == expected[-1].outcomes
    assert chunked.metas == whole.metas
    assert chunked.stored == whole.stored
    assert max(chunked.looked_at) < 2 * chunk


@settings(max_examples=tries(50))
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


@settings(max_examples=tries(50))
@given(records=st.lists(strategies.records, max_size=8))
def test_versions_are_dense(records: list[PartitionRecord]) -> None:
    state = opened()
    for record in records:
        before = {shard: meta.version for shard, meta in state.metas.items()}
        last = state.apply(record, chunk=3)[-1]
        if last.shard in before and last.shard in state.metas and not last.marker_seq:
            # One that names missing points is told of as rejected, and has changed the others.
            took_one = sum(outcome.applied or outcome.status == 404 for outcome in last.outcomes)
            assert state.metas[last.shard].version == before[last.shard] + took_one


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


def test_operations_that_change_nothing_are_in_chunks_too() -> None:
    state = CountingState()
    state.apply(OPENED)
    state.run(upsert(dict.fromkeys(range(20))))
    state.looked_at.clear()
    found = state.apply(points_record(*[DeletePoints(filter=match("a", 1))] * 10), chunk=50)
    assert state.looked_at == [60, 60, 60, 20]
    assert found[-1].outcomes == [APPLIED] * 10
    assert state.metas[SHARD].version == 11
    assert len(state.apply(points_record(*[DeletePoints(ids=[])] * 10), chunk=3)) == 4


def test_operations_after_many_changes_begin_with_a_commit() -> None:
    state = opened()
    state.run(upsert(dict.fromkeys(range(40))))
    steps = [SetPayload(b'{"x":%d}' % step, ids=list(range(step * 10, step * 10 + 10))) for step in range(4)]
    found = state.apply(points_record(*steps), chunk=20)
    assert [len(effects.points) for effects in found] == [20, 20]
    assert [outcome.applied for outcome in found[-1].outcomes] == [True] * 4
    assert set(state.versions().values()) == {2, 3, 4, 5}


@pytest.mark.parametrize("missing", [[404], [300, 404]])
def test_a_missing_id_anywhere_in_the_list_leaves_the_others_changed(missing: list[int]) -> None:
    state = opened()
    state.run(upsert(dict.fromkeys(range(50))))
    ids: list[WireId] = [*range(20), *missing, *range(20, 50)]
    found = state.apply(points_record(DeletePayload(["a"], ids=ids), upsert({60: None})), chunk=10)
    assert found[-1].outcomes == [Outcome(f"Not found: No point with id {missing[0]} found", 404), SKIPPED]
    assert sum(len(effects.points) for effects in found) == 50
    assert set(state.versions().values()) == {2}
    assert state.metas[SHARD].version == 2
    assert len(state.stored[SHARD]) == 50


def test_listed_ids_are_looked_up_once_in_chunks() -> None:
    state = CountingState()
    state.apply(OPENED)
    state.run(upsert(dict.fromkeys(range(50))))
    state.looked_at.clear()
    found = state.apply(points_record(*[SetPayload(b'{"x":1}', ids=list(range(50)))] * 2), chunk=20)
    assert state.looked_at == [20, 20, 10] * 2
    assert [len(effects.points) for effects in found] == [20, 20, 10] * 2
    assert found[-1].outcomes == [APPLIED] * 2
    assert state.metas[SHARD].version == 3
    assert set(state.versions().values()) == {3}


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
    assert fold_one(state, record, 9) == fold_one(state, record, 9)
    assert before == (state.metas, state.stored)


@pytest.mark.parametrize(
    "operation",
    [
        SetPayload(b'{"b":1}', filter={}),
        SetPayload(b'{"b":1}', ids=list(range(20))),
        SetPayload(b'{"b":"%s"}' % (b"x" * 1000), filter={}),
        SetPayload(b'{"b":"%s"}' % (b"x" * 1000), ids=list(range(20))),
        UpdateVectors(list(range(20)), {"image": DenseColumn(2, bytes(160))}),
        DeletePayload(["b"], ids=[*range(20), *range(20)]),
    ],
)
def test_a_chunk_is_bounded_by_what_it_reads_and_writes(operation: Operation) -> None:
    whole, chunked = opened(), opened()
    for state in (whole, chunked):
        state.run(upsert({i: {"a": "x" * 1000} for i in range(20)}))
    assert len(whole.apply(points_record(operation))) == 1
    found = chunked.apply(points_record(operation), size=5000)
    assert found[-1].outcomes == [APPLIED]
    assert len(found) >= 4
    for effects in found:
        assert sum(len(value or b"") for value in effects.points.values()) < 5000 + 2200
    assert chunked.stored == whole.stored
    assert chunked.metas == whole.metas


def test_a_record_of_large_points_is_in_no_run() -> None:
    state = opened()
    state.run(upsert({i: {"a": "x" * 1000} for i in range(20)}))
    before = {shard: dict(stored) for shard, stored in state.stored.items()}
    run = Fold(state, ChunkLimit(bytes=5000))
    assert run.add(10, points_record(SetPayload(b'{"b":1}', ids=[1])))
    assert not run.add(11, points_record(upsert({3: None, 99: None}), SetPayload(b'{"b":1}', ids=list(range(20)))))
    (effects,) = run.effects().shards
    assert list(effects.points) == [1]
    assert effects.meta is not None
    assert effects.meta.version == 2
    assert state.stored == before


def test_a_cursor_of_an_earlier_release_goes_on() -> None:
    """It may count ids that were found to be there before the first is changed."""
    whole, rest = opened(), opened()
    operation = SetPayload(b'{"b":1}', ids=list(range(5)))
    for state in (whole, rest):
        state.run(upsert(dict.fromkeys(range(5))))
        state.applied += 1
    earlier = msgspec.convert({"offset": rest.applied, "op": 0, "chunk": 2, "outcomes": [], "checked": 6}, Cursor)
    for state, cursor in ((whole, None), (rest, earlier)):
        state.commit(fold_one(state, points_record(operation), state.applied, cursor)[0])
    assert rest.stored == whole.stored
    assert rest.metas == whole.metas
