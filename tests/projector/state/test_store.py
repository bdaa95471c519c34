"""PartitionState: what one commit writes, and that it is all there when the state is opened again."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ingest.foreign import Destination
from projector.fold.effects import Cursor, Home, ShardMeta
from projector.frames import ShardId
from projector.state import kept_outcomes
from projector.state.errors import StateLockedError
from projector.state.kv import KeyValue
from projector.state.store import PartitionState, TooManyChangedError
from schemas.ids import UUID_BASE, PointId
from schemas.operations import Outcome
from schemas.records import Origin
from tests.projector.fold.memory_state import CONFIG
from tests.projector.fold.one import One, commit
from tests.projector.state.samples import open_state

SHARD = ShardId(7, 3)
NEXT = ShardId(7, 4)
META = ShardMeta("things", CONFIG, [0, 0, 1, 0, 0], 5)
NOT_FOUND = Outcome("Not found: it", 404)


def _points(*ids: int, value: bytes = b"stored") -> dict[PointId, bytes | None]:
    return {PointId(i): value for i in ids}


def _effects(*ids: int, shard: ShardId = SHARD, meta: ShardMeta | None = META, chunk: int = 0) -> One:
    return One(shard=shard, points=_points(*ids), meta=meta, chunk=chunk, outcomes=[Outcome()])


Check = Callable[[PartitionState], None]


def _now_and_reopened(folder: Path, change: Callable[[PartitionState], None], check: Check) -> None:
    state = open_state(folder)
    change(state)
    check(state)
    state.close()
    state = open_state(folder)
    check(state)
    state.close()
    state = PartitionState.open(folder, "memory", read_only=True)
    check(state)
    state.close()


def test_a_new_state_is_empty(tmp_path: Path) -> None:
    def check(state: PartitionState) -> None:
        assert (state.applied, state.last_checksum, state.marker_seq, state.cursor) == (-1, None, 0, None)
        assert state.shards() == {}
        assert state.shard(SHARD) is None

    _now_and_reopened(tmp_path, lambda state: None, check)


def test_a_commit_is_there_whole(tmp_path: Path) -> None:
    ids = [0, 2, 5, UUID_BASE - 1, UUID_BASE, UUID_BASE + 9]

    def change(state: PartitionState) -> None:
        effects = _effects(*ids)
        effects.marker_seq = 12
        commit(state, effects, 40, b"123456789")

    def check(state: PartitionState) -> None:
        assert state.applied == 40
        assert state.last_checksum == 0xE3069283
        assert state.marker_seq == 12
        assert state.shards() == {SHARD: META}
        assert state.shard(SHARD) == META
        found = state.points(SHARD, [PointId(2), PointId(3), PointId(UUID_BASE + 9)])
        assert found == [b"stored", None, b"stored"]
        assert list(state.scan(SHARD, None)) == [(PointId(i), b"stored") for i in ids]
        assert [i for i, _ in state.scan(SHARD, PointId(1))] == ids[1:]
        assert [i for i, _ in state.scan(SHARD, PointId(2))] == ids[2:]
        assert [i for i, _ in state.scan(SHARD, PointId(UUID_BASE + 9))] == []
        assert sorted(state.changed_since(SHARD, 39)) == ids
        assert state.changed_since(SHARD, 40) == []
        assert state.outcomes(40) == []

    _now_and_reopened(tmp_path, change, check)


def test_a_record_without_a_value_has_a_checksum(tmp_path: Path) -> None:
    _now_and_reopened(
        tmp_path,
        lambda state: commit(state, One(outcomes=[NOT_FOUND]), 0, None),
        lambda state: _same(state.last_checksum, 0),
    )


def _same(found: object, expected: object) -> None:
    assert found == expected


def test_deleted_points_are_gone_and_count_as_changed(tmp_path: Path) -> None:
    def change(state: PartitionState) -> None:
        commit(state, _effects(1, 2, 3), 0, b"")
        commit(state, One(shard=SHARD, points={PointId(2): None, PointId(9): None}), 1, b"")

    def check(state: PartitionState) -> None:
        assert [i for i, _ in state.scan(SHARD, None)] == [1, 3]
        assert state.points(SHARD, [PointId(2)]) == [None]
        assert sorted(state.changed_since(SHARD, 0)) == [2, 9]

    _now_and_reopened(tmp_path, change, check)


def test_a_closed_shard_leaves_nothing_and_its_neighbours_everything(tmp_path: Path) -> None:
    neighbours = [ShardId(6, 2**32 - 1), ShardId(7, 2), NEXT, ShardId(8, 0)]

    def change(state: PartitionState) -> None:
        for offset, shard in enumerate([SHARD, *neighbours]):
            commit(state, _effects(0, UUID_BASE + (1 << 128) - 1, shard=shard), offset, b"")
        state.drop_changed(SHARD, 0)
        commit(state, _effects(1), 8, b"")
        commit(state, One(shard=SHARD, closed=True), 9, b"")
        state.drop_changed(SHARD, 9)

    def check(state: PartitionState) -> None:
        assert list(state.shards()) == neighbours
        assert list(state.scan(SHARD, None)) == []
        assert state.changed_since(SHARD, -1) == []
        assert state.sealed(SHARD) == -1
        for shard in neighbours:
            assert len(list(state.scan(shard, None))) == 2
            assert len(state.changed_since(shard, -1)) == 2

    _now_and_reopened(tmp_path, change, check)
    with KeyValue.open(tmp_path) as kv:
        mine = [key for key, _ in kv.scan(b"") if key[1:13] == (7).to_bytes(8, "big") + (3).to_bytes(4, "big")]
    assert mine == []


def test_a_chunk_leaves_a_cursor_and_the_applied_offset_where_it_was(tmp_path: Path) -> None:
    cursor = Cursor(6, 2, 1, [Outcome(), NOT_FOUND], after=bytes(16), done=4)

    def change(state: PartitionState) -> None:
        commit(state, _effects(1), 5, b"one")
        commit(state, _stopped(_effects(2), cursor), 6, b"two")

    def check(state: PartitionState) -> None:
        assert state.applied == 5
        assert state.cursor == cursor
        assert [i for i, _ in state.scan(SHARD, None)] == [1, 2]
        assert state.changed_since(SHARD, 5) == [2]

    _now_and_reopened(tmp_path, change, check)
    _now_and_reopened(
        tmp_path,
        lambda state: commit(state, _effects(3, chunk=1), 6, b"two"),
        lambda state: _same((state.applied, state.cursor, state.changed_since(SHARD, 5)), (6, None, [2, 3])),
    )


def _stopped(effects: One, cursor: Cursor) -> One:
    effects.cursor = cursor
    return effects


def test_changed_ids_are_distinct_and_can_be_limited(tmp_path: Path) -> None:
    def change(state: PartitionState) -> None:
        commit(state, _effects(1, 2), 0, b"")
        commit(state, _effects(2, 3), 4, b"")
        commit(state, _effects(3, UUID_BASE), 5, b"")

    def check(state: PartitionState) -> None:
        assert sorted(state.changed_since(SHARD, -1)) == [1, 2, 3, UUID_BASE]
        assert sorted(state.changed_since(SHARD, 0)) == [2, 3, UUID_BASE]
        assert sorted(state.changed_since(SHARD, 4, limit=2)) == [3, UUID_BASE]
        with pytest.raises(TooManyChangedError):
            state.changed_since(SHARD, 0, limit=2)
        assert state.changed_since(NEXT, -1) == []

    _now_and_reopened(tmp_path, change, check)


def test_changed_ids_are_dropped_up_to_an_offset(tmp_path: Path) -> None:
    def change(state: PartitionState) -> None:
        for offset in range(6):
            commit(state, _effects(offset), offset, b"")
            commit(state, _effects(offset, shard=NEXT), offset, b"")
        state.drop_changed(SHARD, 1)
        state.drop_changed(SHARD, 3)
        state.drop_changed(SHARD, 2)

    def check(state: PartitionState) -> None:
        assert state.sealed(SHARD) == 3
        assert state.changed_since(SHARD, 3) == [4, 5]
        assert state.changed_since(SHARD, -1) == [4, 5]
        assert state.sealed(NEXT) == -1
        assert len(state.changed_since(NEXT, -1)) == 6

    _now_and_reopened(tmp_path, change, check)


def test_outcomes_are_kept_where_one_is_a_rejection_and_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_outcomes, "KEPT_OUTCOMES", 10)
    both = [Outcome(), NOT_FOUND]

    def change(state: PartitionState) -> None:
        for offset in (0, 1, 5, 11):
            commit(state, One(outcomes=both), offset, b"")
        commit(state, One(outcomes=[Outcome()]), 30, b"")

    def check(state: PartitionState) -> None:
        kept = [offset for offset in range(40) if state.outcomes(offset)]
        assert kept == [1, 5, 11]
        assert state.outcomes(5) == both

    _now_and_reopened(tmp_path, change, check)
    _now_and_reopened(
        tmp_path,
        lambda state: commit(state, One(outcomes=[NOT_FOUND]), 31, b""),
        lambda state: _same([offset for offset in range(40) if state.outcomes(offset)], [31]),
    )


def test_outcomes_can_be_listed(tmp_path: Path) -> None:
    def change(state: PartitionState) -> None:
        for offset in (0, 3, 7):
            commit(state, One(outcomes=[NOT_FOUND] * (offset + 1)), offset, b"")

    def check(state: PartitionState) -> None:
        assert [offset for offset, _ in state.outcomes_since(-1)] == [0, 3, 7]
        assert [(offset, len(outcomes)) for offset, outcomes in state.outcomes_since(3)] == [(3, 4), (7, 8)]
        assert list(state.outcomes_since(8)) == []

    _now_and_reopened(tmp_path, change, check)


def test_what_is_not_at_home_is_kept_until_it_is_forwarded(tmp_path: Path) -> None:
    entries = [(offset, Destination("things", 7, [offset])) for offset in (2, 3, 300)]

    def change(state: PartitionState) -> None:
        for offset, destination in entries:
            commit(state, One(destination=destination), offset, b"")
        commit(state, One(destination=Destination("alias")), 301, b"")
        commit(state, One(), 302, b"")

    def check(state: PartitionState) -> None:
        assert state.outbox(0) == [*entries, (301, Destination("alias"))]
        assert state.outbox(-1, limit=2) == entries[:2]
        assert [offset for offset, _ in state.outbox(3)] == [3, 300, 301]
        assert state.outbox(302) == []

    def check_rest(state: PartitionState) -> None:
        assert [offset for offset, _ in state.outbox(0)] == [300, 301]

    _now_and_reopened(tmp_path, change, check)
    _now_and_reopened(tmp_path, lambda state: state.forwarded(299), check_rest)
    _now_and_reopened(tmp_path, lambda state: state.forwarded(-1), check_rest)
    _now_and_reopened(tmp_path, lambda state: state.forwarded(301), lambda state: _same(len(state.outbox(0)), 0))


def test_before_anything_is_forwarded_what_is_not_at_home_at_offset_0_is_kept(tmp_path: Path) -> None:
    entry = (0, Destination("things", 7, [0]))

    def change(state: PartitionState) -> None:
        commit(state, One(destination=entry[1]), 0, b"")

    _now_and_reopened(tmp_path, change, lambda state: _same(state.outbox(0), [entry]))
    _now_and_reopened(tmp_path, lambda state: state.forwarded(-1), lambda state: _same(state.outbox(0), [entry]))
    _now_and_reopened(tmp_path, lambda state: state.forwarded(0), lambda state: _same(state.outbox(0), []))


def test_what_is_not_at_home_is_kept_with_the_last_chunk(tmp_path: Path) -> None:
    cursor = Cursor(0, 0, 1, [])
    destination = Destination("things", 7, [1])

    def chunk(state: PartitionState) -> None:
        effects = _stopped(_effects(1), cursor)
        effects.destination, effects.watermark = destination, Origin(1, 2, 3)
        commit(state, effects, 0, b"")

    def check(state: PartitionState) -> None:
        assert state.outbox(0) == []
        assert state.watermark(1) is None

    _now_and_reopened(tmp_path, chunk, check)


def test_watermarks_are_there_by_partition(tmp_path: Path) -> None:
    def change(state: PartitionState) -> None:
        for offset, origin in enumerate([Origin(0, 5, 1), Origin(2**31 - 1, 2**63 - 1, 2**32 - 1), Origin(0, 6, 0)]):
            commit(state, One(watermark=origin), offset, b"")

    def check(state: PartitionState) -> None:
        assert state.watermark(0) == Origin(0, 6, 0)
        assert state.watermark(2**31 - 1) == Origin(2**31 - 1, 2**63 - 1, 2**32 - 1)
        assert state.watermark(1) is None

    _now_and_reopened(tmp_path, change, check)


def test_collections_are_found_by_name(tmp_path: Path) -> None:
    renamed = msgspec.structs.replace(META, name="other")

    def change(state: PartitionState) -> None:
        for offset, (shard, meta) in enumerate([(NEXT, META), (SHARD, META), (ShardId(8, 0), renamed)]):
            commit(state, _effects(shard=shard, meta=meta), offset, b"")

    def check(state: PartitionState) -> None:
        assert state.home("things") == Home(7, CONFIG, META.shard_map, [3, 4])
        assert state.home("other") == Home(8, CONFIG, META.shard_map, [0])
        assert state.home("nothing") is None

    _now_and_reopened(tmp_path, change, check)
    _now_and_reopened(
        tmp_path,
        lambda state: commit(state, One(shard=SHARD, closed=True), 8, b""),
        lambda state: _same(state.home("things"), Home(7, CONFIG, META.shard_map, [4])),
    )
    _now_and_reopened(
        tmp_path,
        lambda state: commit(state, One(shard=NEXT, closed=True), 9, b""),
        lambda state: _same(state.home("things"), None),
    )


def test_metas_and_points_can_change_apart(tmp_path: Path) -> None:
    renamed = msgspec.structs.replace(META, version=6)

    def change(state: PartitionState) -> None:
        commit(state, _effects(1), 0, b"")
        commit(state, One(shard=SHARD, meta=renamed), 1, b"")
        commit(state, One(shard=SHARD, points=_points(1, value=b"new")), 2, b"")

    def check(state: PartitionState) -> None:
        assert state.shard(SHARD) == renamed
        assert state.points(SHARD, [PointId(1)]) == [b"new"]

    _now_and_reopened(tmp_path, change, check)


def test_one_projector_owns_a_state(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    with pytest.raises(StateLockedError):
        open_state(tmp_path)
    state.close()
    open_state(tmp_path).close()
