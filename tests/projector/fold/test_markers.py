"""Markers open, change and close shards, once each."""

import msgspec
import pytest

from projector.fold.effects import ShardMeta
from projector.frames import Closed, Opened, Reconfigured, ShardId
from schemas.config import HnswConfig
from schemas.operations import Outcome
from schemas.records import Marker, ShardChanged, ShardClosed, ShardOpened
from tests.projector.fold.memory_state import CONFIG, OPENED, SHARD, MemoryState, opened, points_record, upsert

_OTHER = msgspec.structs.replace(CONFIG, hnsw=HnswConfig(m=5))


def _changed(seq: int, shard: ShardId = SHARD) -> ShardChanged:
    return ShardChanged(seq=seq, uid=shard.uid, shard=shard.shard, config=_OTHER)


def _closed(seq: int, shard: ShardId = SHARD) -> ShardClosed:
    return ShardClosed(seq=seq, uid=shard.uid, shard=shard.shard)


def test_a_shard_is_opened_empty() -> None:
    state = MemoryState()
    (effects,) = state.apply(OPENED)
    assert state.metas == {SHARD: ShardMeta("things", CONFIG, [0], version=0)}
    assert effects.events == [Opened(SHARD, "things", CONFIG, [0])]
    assert effects.outcomes == [Outcome()]
    assert state.marker_seq == 1


def test_a_new_configuration_keeps_points_and_versions() -> None:
    state = opened()
    state.run(upsert({1: None}))
    (effects,) = state.apply(_changed(2))
    assert state.metas[SHARD] == ShardMeta("things", _OTHER, [0], version=1)
    assert effects.events == [Reconfigured(SHARD, _OTHER)]
    assert state.versions() == {1: 1}


def test_a_closed_shard_takes_its_points_along_and_rejects_what_comes() -> None:
    state = opened()
    state.run(upsert({1: None}))
    (effects,) = state.apply(_closed(2))
    assert effects.events == [Closed(SHARD)]
    assert state.metas == {}
    assert state.stored == {}
    assert [outcome.status for outcome in state.run(upsert({2: None}))] == [404]


def test_a_name_that_is_used_again_is_another_shard() -> None:
    state = opened()
    state.run(upsert({1: None}))
    again = ShardOpened(seq=3, uid=8, shard=0, name="things", config=CONFIG, shard_map=[0])
    state.apply(_closed(2))
    state.apply(again)
    assert state.stored[ShardId(8, 0)] == {}
    assert [outcome.status for outcome in state.run(upsert({2: None}))] == [404]


@pytest.mark.parametrize("marker", [OPENED, _changed(1), _closed(1), _changed(4), _closed(4)])
def test_a_marker_that_was_seen_is_ignored(marker: Marker) -> None:
    state = opened()
    state.run(upsert({1: None}))
    state.apply(_changed(4))
    metas = dict(state.metas)
    (effects,) = state.apply(marker)
    assert effects.marker_seq is None
    assert effects.events == []
    assert effects.outcomes == [Outcome()]
    assert state.metas == metas
    assert state.versions() == {1: 1}


@pytest.mark.parametrize("marker", [_changed(5, ShardId(9, 0)), _closed(5, ShardId(9, 0))])
def test_a_marker_for_a_shard_that_is_not_here_only_counts(marker: Marker) -> None:
    state = opened()
    (effects,) = state.apply(marker)
    assert effects.events == []
    assert state.marker_seq == 5
    assert list(state.metas) == [SHARD]


def test_shards_do_not_see_each_other() -> None:
    state = opened()
    state.apply(ShardOpened(seq=2, uid=7, shard=1, name="things", config=CONFIG, shard_map=[0, 0]))
    state.run(upsert({1: None, 2: None}))
    state.apply(msgspec.structs.replace(points_record(upsert({2: None})), shard=1))
    assert len(state.stored[SHARD]) == 2
    assert len(state.stored[ShardId(7, 1)]) == 1
    state.apply(_closed(3))
    assert list(state.stored) == [ShardId(7, 1)]
