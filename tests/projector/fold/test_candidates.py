"""Candidates say where an operation by filter looks; what it does is the same without them."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.fold.candidates import Candidates
from projector.frames import Frame, ShardId
from projector.view import candidates as module
from projector.view.candidates import candidates
from projector.view.follower import PartitionFollower
from projector.worker.view_candidates import view_candidates
from schemas.filters import parse_filter
from schemas.ids import PointId
from schemas.operations import DeletePoints, SetPayload
from schemas.records import PartitionRecord, PointsRecord
from tests.projector.fold import strategies
from tests.projector.fold.memory_state import OPENED, SHARD, MemoryState, match, points_record, upsert
from tests.projector.fold.one import One
from tests.projector.view.memory_segment import build_from
from tests.support.examples import tries


class FollowedState(MemoryState):
    """A state with views of it, whose tails are sealed when that is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.follower = PartitionFollower(0, {}, -1)
        self.used = 0

    def follow(self, record: PartitionRecord, chunk: int, size: int) -> list[One]:
        found: Candidates = None
        if isinstance(record, PointsRecord):
            found = asyncio.run(view_candidates(self.follower, record, self.applied))
        self.used += found is not None
        effects = self.apply(record, chunk, size, found)
        for chunk_effects in effects:
            final = chunk_effects.cursor is None
            self.follower.on_frame(Frame(self.applied, chunk_effects.events, [], final))
        return effects

    def seal(self) -> None:
        for live in self.follower.shards.values():
            base = live.view
            segment = build_from(base, base.segments, with_tails=True)
            live.replace(base, [part.segment for part in base.segments], [segment], tails_sealed=True)


@pytest.fixture(autouse=True, scope="module")
def every_candidate_counts() -> Iterator[None]:
    """However few points there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_WORTHWHILE", 1)
        yield


@settings(max_examples=tries(40), deadline=None)
@given(
    records=st.lists(st.tuples(strategies.records, st.booleans()), max_size=8),
    chunk=st.integers(1, 9),
    size=st.one_of(st.integers(1, 300), st.just(1 << 20)),
)
def test_a_fold_with_candidates_is_the_fold_without(
    records: list[tuple[PartitionRecord, bool]], chunk: int, size: int
) -> None:
    alone, followed = MemoryState(), FollowedState()
    for record, sealed in [(OPENED, False), *records]:
        expected, found = alone.apply(record), followed.follow(record, chunk, size)
        assert found[-1].outcomes == expected[-1].outcomes
        if sealed:
            followed.seal()
    assert followed.metas == alone.metas
    assert followed.stored == alone.stored


class ScannedState(FollowedState):
    """Counts the points that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> Sequence[bytes | None]:
        self.read += len(ids)
        return super().points(shard, ids)

    def scan(self, shard: ShardId, after: PointId | None) -> Iterator[tuple[PointId, bytes]]:
        for found in super().scan(shard, after):
            self.read += 1
            yield found


def _state(points: int) -> ScannedState:
    state = ScannedState()
    payloads: dict[int, Any] = {i: {"a": i % 10, "b": "x"} for i in range(points)}
    for record in (OPENED, points_record(upsert(payloads))):
        state.follow(record, 2000, 1 << 20)
    state.seal()
    return state


def test_only_what_may_pass_is_read() -> None:
    state = _state(100)
    state.follow(points_record(DeletePoints(filter=match("a", 3))), 4, 1 << 20)
    assert (state.used, state.read, len(state.payloads())) == (1, 10, 90)


def test_what_an_earlier_operation_of_the_record_changed_is_found() -> None:
    state = _state(40)
    change = SetPayload(b'{"a":77}', filter=match("a", 3))
    state.follow(points_record(change, DeletePoints(filter=match("a", 77))), 2000, 1 << 20)
    assert {payload["a"] for payload in state.payloads().values()} == set(range(10)) - {3}


def test_views_that_are_behind_are_not_asked() -> None:
    state = _state(40)
    record = points_record(DeletePoints(filter=match("a", 3)))
    assert asyncio.run(view_candidates(state.follower, record, state.applied)) is not None
    assert asyncio.run(view_candidates(state.follower, record, state.applied + 1)) is None


def test_columns_of_another_evaluator_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    state = _state(40)
    view = state.follower.shards[SHARD].view
    condition = parse_filter(match("a", 3))
    assert candidates(view, condition) == [3, 13, 23, 33]
    monkeypatch.setattr(module, "EVALUATOR_VERSION", "another")
    assert candidates(view, condition) is None


def test_what_most_points_may_pass_is_looked_for_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WORTHWHILE", 4)
    view = _state(40).follower.shards[SHARD].view
    assert candidates(view, parse_filter(match("a", 3))) is not None
    assert candidates(view, parse_filter(match("b", "x"))) is None
