"""CatalogRunner: every record once, and its markers on the partitions' logs, whatever stops it where."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from ingest.log import Headers, LogUnavailableError, RecordTooLargeError, Topic
from projector.catalog.store import CatalogStore
from projector.state.origin import StateMismatchError, check_log
from projector.worker import catalog_runner as runner_module
from schemas.errors import NotFoundError
from schemas.operations import Outcome
from schemas.records import (
    CANONICAL_CONTENT_TYPE,
    CONTENT_TYPE_HEADER,
    CatalogRecord,
    CreateAlias,
    DeleteCollection,
    ShardClosed,
    ShardOpened,
)
from tests.projector.catalog.samples import Runner, change_aliases, create, markers_on, put, store_in
from tests.projector.state.samples import run
from tests.support.memory_log import MemoryLog

RECORDS: list[CatalogRecord] = [
    create("one", 11, shards=4, partitions=2),
    create("two", 12, partitions=2),
    change_aliases(CreateAlias("a", "one")),
    DeleteCollection(name="one"),
]


class StoppedError(Exception):
    """Stands for the process's death."""


class FailingLog(MemoryLog):
    """A log whose appends to points fail as ``failures`` says: before or after the record is on the log."""

    def __init__(self, partitions: int, failures: dict[int, tuple[str, type[Exception] | Exception]]) -> None:
        super().__init__(partitions)
        self.failures = failures
        self.appends = 0

    async def append(
        self, topic: Topic, partition: int, value: bytes | None, *, key: bytes | None = None, headers: Headers = ()
    ) -> int:
        # Others may run meanwhile, as they do while a real log syncs.
        await asyncio.sleep(0)
        when, error = self.failures.get(self.appends, ("never", StoppedError))
        self.appends += 1
        if when == "before":
            raise error
        offset = self.put(topic, partition, value, key=key, headers=headers)
        if when == "after":
            raise error
        return offset


class GrowingLog(MemoryLog):
    """A log that gets one more partition after so many appends that would have needed it."""

    def __init__(self, partitions: int, refusals: int) -> None:
        super().__init__(partitions)
        self._refusals = refusals

    def partitions(self, topic: Topic) -> int:
        grown = topic is Topic.POINTS and self._refusals <= 0
        return super().partitions(topic) + grown

    async def append(
        self, topic: Topic, partition: int, value: bytes | None, *, key: bytes | None = None, headers: Headers = ()
    ) -> int:
        try:
            return await super().append(topic, partition, value, key=key, headers=headers)
        except ValueError:
            self._refusals -= 1
            raise


def _fill(log: MemoryLog, records: Sequence[CatalogRecord | bytes] = RECORDS) -> None:
    for record in records:
        put(log, record)


async def _catch_up(log: MemoryLog, store: CatalogStore, seen: Sequence[int] = (), *, send: bool = True) -> Runner:
    found = Runner(log, store, seen, send=send)
    await found.runner.start()
    await found.runner.catch_up(await log.end_offset(Topic.CATALOG, 0))
    return found


def test_markers_go_to_their_partitions_in_order(tmp_path: Path) -> None:
    log = MemoryLog(2)
    _fill(log)
    with store_in(tmp_path) as store:
        run(_catch_up(log, store))
        assert store.outbox() == []
    zero, one = markers_on(log, 0), markers_on(log, 1)
    assert [(type(m), m.uid, m.shard) for m in zero] == [
        (ShardOpened, 11, 0),
        (ShardOpened, 11, 2),
        (ShardOpened, 12, 0),
        (ShardClosed, 11, 0),
        (ShardClosed, 11, 2),
    ]
    assert sorted(m.seq for m in zero + one) == list(range(1, 10))
    assert [m.seq for m in one] == sorted(m.seq for m in one)
    headers = [record.headers for record in run(log.read(Topic.POINTS, 0, 0, 1 << 20))]
    assert headers == [((CONTENT_TYPE_HEADER, CANONICAL_CONTENT_TYPE),)] * 5


def test_the_catalog_is_published_with_its_markers(tmp_path: Path) -> None:
    log = MemoryLog(2)
    _fill(log, RECORDS[:2])
    with store_in(tmp_path) as store:
        follower = run(_catch_up(log, store)).follower
    assert sorted(follower.markers_of(0)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert follower.markers_of(1) == [(0, 2)]
    assert follower.markers_of(7) == ()
    assert follower.waiters.visible == 1
    assert [entry.name for entry in follower.collections()] == ["one", "two"]
    assert follower.resolve("one").shard_map == (0, 1, 0, 1)


def test_rejections_are_told(tmp_path: Path) -> None:
    log = MemoryLog(2)
    _fill(log, [RECORDS[0], DeleteCollection(name="nothing"), b"\xc1", RECORDS[1]])
    with store_in(tmp_path) as store:
        found = run(_catch_up(log, store))
        assert store.applied == 3
    assert [(offset, outcomes[0].status) for offset, outcomes in found.rejected] == [(1, 404), (2, 400)]
    (outcome,) = run(found.follower.waiters.wait(1, 1.0))
    assert outcome == Outcome("Not found: Collection `nothing` doesn't exist!", 404)
    assert run(found.follower.waiters.wait(3, 1.0)) == ()


def test_the_reason_against_what_is_no_record_is_cut(tmp_path: Path) -> None:
    log = MemoryLog()
    _fill(log, [msgspec.msgpack.encode({"v": "x" * (1 << 20)})])
    with store_in(tmp_path) as store:
        ((_, (outcome,)),) = run(_catch_up(log, store)).rejected
    assert len(outcome.reason or "") < 1100


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(9))
def test_what_a_crash_kept_from_the_log_is_sent_after_it(tmp_path: Path, at: int, when: str) -> None:
    """The process dies at any marker, before or after it got onto the log: then, its outbox still holds it."""
    log = FailingLog(2, {at: (when, StoppedError)})
    _fill(log)
    with store_in(tmp_path) as store, pytest.raises(StoppedError):
        run(_catch_up(log, store))
    with store_in(tmp_path) as store:
        found = run(_catch_up(log, store))
        assert store.outbox() == []
        assert store.applied == 3
    assert found.follower.waiters.visible == 3
    for partition, expected in ((0, [1, 3, 5, 6, 8]), (1, [2, 4, 7, 9])):
        sequence = [marker.seq for marker in markers_on(log, partition)]
        # What a partition takes in: each number once, in order; it ignores those it has seen.
        highest = 0
        taken: list[int] = []
        for seq in sequence:
            if seq > highest:
                taken.append(seq)
                highest = seq
        assert taken == expected
        assert len(sequence) <= len(expected) + 1


def test_a_log_that_is_away_for_a_while_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "RETRY_SECONDS", 0.001)
    log = FailingLog(
        2, {1: ("before", LogUnavailableError), 2: ("after", LogUnavailableError), 3: ("before", LogUnavailableError)}
    )
    _fill(log)
    with store_in(tmp_path) as store:
        run(_catch_up(log, store))
        assert store.outbox() == []
    assert {marker.seq for marker in markers_on(log, 0) + markers_on(log, 1)} == set(range(1, 10))
    for partition in (0, 1):
        sequence = [marker.seq for marker in markers_on(log, partition)]
        assert sequence == sorted(sequence)


def test_a_marker_for_a_partition_that_is_missing_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record says how many partitions there are, and anybody's may say too many."""
    monkeypatch.setattr(runner_module, "RETRY_SECONDS", 0.001)
    log = GrowingLog(1, refusals=3)
    _fill(log, [create("one", 11, shards=2, partitions=2)])
    with store_in(tmp_path) as store, capture_logs() as lines:
        run(_catch_up(log, store))
        assert store.outbox() == []
    assert [marker.seq for marker in markers_on(log, 1)] == [2]
    (line,) = lines
    assert (line["log_level"], line["partition"], line["seq"]) == ("error", 1, 2)
    assert "no partition points-1" in line["reason"]


def test_a_marker_that_is_too_large_waits_until_it_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "RETRY_SECONDS", 0.001)
    log = FailingLog(2, {at: ("before", RecordTooLargeError("too large")) for at in range(2)})
    _fill(log, RECORDS[1:2])
    with store_in(tmp_path) as store:
        run(_catch_up(log, store))
        assert store.outbox() == []
    assert [marker.seq for marker in markers_on(log, 0)] == [1]


def test_markers_that_a_partition_has_seen_are_not_sent_again(tmp_path: Path) -> None:
    log = FailingLog(2, {0: ("before", StoppedError)})
    _fill(log, RECORDS[:1])
    with store_in(tmp_path) as store, pytest.raises(StoppedError):
        run(_catch_up(log, store))
    with store_in(tmp_path) as store:
        waiting = [seq for seq, _, _ in store.outbox()]
        assert 1 in waiting
        run(_catch_up(log, store, seen=[1, 4]))
        assert store.outbox() == []
    assert 1 not in [marker.seq for marker in markers_on(log, 0)]
    assert 3 in [marker.seq for marker in markers_on(log, 0)]


def test_a_replay_sends_nothing(tmp_path: Path) -> None:
    log = MemoryLog(2)
    _fill(log)
    with store_in(tmp_path / "live") as live, store_in(tmp_path / "replayed") as replayed:
        run(_catch_up(log, live))
        sent = log.values(Topic.POINTS, 0)
        run(_catch_up(log, replayed, send=False))
        assert log.values(Topic.POINTS, 0) == sent
        assert replayed.state == live.state
        assert [seq for seq, _, _ in replayed.outbox()] == list(range(1, 10))


def test_a_restart_publishes_what_is_folded_and_goes_on(tmp_path: Path) -> None:
    log = MemoryLog(2)
    _fill(log, RECORDS[:3])
    with store_in(tmp_path) as store:
        run(_catch_up(log, store))
    _fill(log, RECORDS[3:])
    with store_in(tmp_path) as store:
        run(check_log(store, log, Topic.CATALOG, 0))
        found = Runner(log, store)
        run(found.runner.start())
        assert found.follower.waiters.visible == 2
        assert found.follower.resolve("a").uid == 11
        run(found.runner.catch_up(4))
        with pytest.raises(NotFoundError, match="Collection `a` doesn't exist"):
            found.follower.resolve("a")
    log.drop_from(Topic.CATALOG, 0, 2)
    with store_in(tmp_path) as store, pytest.raises(StateMismatchError, match="catalog-0 is ahead of its log"):
        run(check_log(store, log, Topic.CATALOG, 0))


def test_it_follows_the_log(tmp_path: Path) -> None:
    log = MemoryLog(2)

    async def main(store: CatalogStore) -> None:
        found = Runner(log, store)
        await found.runner.start()
        following = asyncio.create_task(found.runner.follow())
        for record in RECORDS:
            assert await found.follower.waiters.wait(put(log, record), 60.0) == ()
        following.cancel()

    with store_in(tmp_path) as store:
        run(main(store))


def test_catching_up_ends_where_it_is_told(tmp_path: Path) -> None:
    log = MemoryLog(2)
    _fill(log)
    with store_in(tmp_path) as store:
        found = Runner(log, store)
        run(found.runner.catch_up(2))
        assert store.applied == 1
        assert sorted(store.state.collections) == ["one", "two"]


def test_readers_keep_the_entries_of_collections_that_did_not_change(tmp_path: Path) -> None:
    log = MemoryLog(2)
    _fill(log, RECORDS[:1])
    with store_in(tmp_path) as store:
        found = run(_catch_up(log, store))
        entry = found.follower.resolve("one")
        _fill(log, RECORDS[1:3])
        run(found.runner.catch_up(3))
        assert found.follower.resolve("one") is entry
        assert found.follower.resolve("a") is entry
        assert dict(found.follower.aliases()) == {"a": "one"}
