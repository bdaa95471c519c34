"""Forwarded records: each once, however often the router sends it, wherever it stops in between."""

from collections import defaultdict
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.foreign import Destination, ForeignWrite, decode_foreign
from ingest.log import LogRecord
from ingest.sharding import parts_of
from projector.fold.chunk import ChunkLimit
from projector.fold.fold import Fold
from projector.fold.outcomes import APPLIED, GONE, TOO_EARLY
from schemas.errors import HeadwaterError
from schemas.operations import SetPayload
from schemas.records import Origin, PartitionRecord, PointsRecord, ShardClosed, ShardOpened
from tests.ingest.foreign import strategies
from tests.projector.fold.memory_state import CONFIG, OPENED, MemoryState, opened, points_record, upsert
from tests.support.examples import tries

NAME, UID, SHARD_MAP = "things", 7, [0, 1, 2, 1]
PARTITIONS = 3
Entry = PartitionRecord | LogRecord


def opening(partition: int) -> list[ShardOpened]:
    shards = [shard for shard, home in enumerate(SHARD_MAP) if home == partition]
    return [
        ShardOpened(seq=seq, uid=UID, shard=shard, name=NAME, config=CONFIG, shard_map=SHARD_MAP)
        for seq, shard in enumerate(shards, start=1)
    ]


class Cluster:
    """Partitions with a log and a state each, and a router that may stop anywhere and begins again before that."""

    def __init__(self) -> None:
        self.logs: list[list[Entry]] = [list(opening(p)) for p in range(PARTITIONS)]
        self.states = [MemoryState() for _ in range(PARTITIONS)]
        self.outbox: list[list[tuple[int, Destination]]] = [[] for _ in range(PARTITIONS)]
        self.todo: list[list[tuple[int, PointsRecord]]] = [[] for _ in range(PARTITIONS)]
        self.routed = [0] * PARTITIONS

    def fold(self, partition: int) -> bool:
        """Fold the partition's next record."""
        state, log = self.states[partition], self.logs[partition]
        offset = state.applied + 1
        if offset == len(log):
            return False
        record = read(log[offset])
        if record is None:
            state.applied += 1
            return True
        destination = state.apply(record, chunk=2)[-1].destination
        if destination is not None:
            self.outbox[partition].append((offset, destination))
        return True

    def forward(self, partition: int) -> bool:
        """Append the next record that has to be forwarded from ``partition``."""
        while not self.todo[partition]:
            if self.routed[partition] == len(self.outbox[partition]):
                return False
            offset, destination = self.outbox[partition][self.routed[partition]]
            self.todo[partition] = forwards(partition, offset, self.logs[partition][offset], destination)
            self.routed[partition] += 1
        home, record = self.todo[partition].pop(0)
        self.logs[home].append(record)
        return True

    def restart(self, partition: int, at: int) -> None:
        """The router of ``partition`` goes on with the entry ``at``, which it has had."""
        self.todo[partition].clear()
        self.routed[partition] = min(at, max(self.routed[partition] - 1, 0))


def read(entry: Entry) -> PartitionRecord | ForeignWrite | None:
    """What an entry says; None when it can't be read."""
    if not isinstance(entry, LogRecord):
        return entry
    try:
        return decode_foreign(entry)
    except HeadwaterError:
        return None


def forwards(partition: int, offset: int, entry: Entry, destination: Destination) -> list[tuple[int, PointsRecord]]:
    """(home, record) for everything of ``entry`` that is not at home."""
    write = read(entry)
    assert isinstance(write, ForeignWrite)
    if destination.name != NAME:
        return []
    try:
        parts = parts_of(write.operations(CONFIG), len(SHARD_MAP))
    except HeadwaterError:
        return []
    index: defaultdict[int, int] = defaultdict(int)
    found: list[tuple[int, PointsRecord]] = []
    for shard, part in parts.items():
        if destination.shards is not None and shard not in destination.shards:
            continue
        home = SHARD_MAP[shard]
        origin = Origin(partition, offset, index[home])
        index[home] += 1
        found.append((home, PointsRecord(uid=UID, shard=shard, ops=[op for _, op in part], origin=origin)))
    return found


def run(writes: list[tuple[int, LogRecord]], schedule: Random, restarts: int) -> Cluster:
    """Write, fold, forward and restart in any order until nothing is left to be done."""
    cluster = Cluster()
    writes = list(writes)
    while True:
        partition = schedule.randrange(PARTITIONS)
        if restarts and schedule.random() < 0.2:
            restarts -= 1
            cluster.restart(partition, schedule.randrange(len(cluster.outbox[partition]) + 1))
        if writes and schedule.random() < 0.3:
            home, record = writes.pop(0)
            cluster.logs[home].append(record)
            continue
        steps = [cluster.fold, cluster.forward]
        schedule.shuffle(steps)
        turns = [(step, (partition + turn) % PARTITIONS) for step in steps for turn in range(PARTITIONS)]
        if not any(step(at) for step, at in turns) and not writes and not restarts:
            return cluster


def without_repeats(log: list[Entry]) -> list[Entry]:
    """The log as it would be had nothing been sent twice, nor stamped."""
    seen: set[Origin] = set()
    kept: list[Entry] = []
    for entry in log:
        if isinstance(entry, PointsRecord) and entry.origin is not None:
            if entry.origin in seen:
                continue
            seen.add(entry.origin)
            entry = msgspec.structs.replace(entry, origin=None)
        kept.append(entry)
    return kept


_writes = st.lists(
    st.tuples(st.integers(0, PARTITIONS - 1), strategies.messages(st.sampled_from([NAME, NAME, NAME, "others"]))),
    max_size=8,
)
_schedules = st.randoms(use_true_random=False)


@settings(max_examples=tries(60))
@given(_writes, _schedules, st.integers(0, 6))
def test_whatever_is_sent_again_is_applied_once(
    writes: list[tuple[int, LogRecord]], schedule: Random, restarts: int
) -> None:
    cluster = run(writes, schedule, restarts)
    for partition, state in enumerate(cluster.states):
        once = MemoryState()
        for entry in without_repeats(cluster.logs[partition]):
            record = read(entry)
            if record is not None:
                once.apply(record)
        assert state.stored == once.stored
        assert state.metas == once.metas
    expected = [
        (home, record)
        for partition, entries in enumerate(cluster.outbox)
        for offset, destination in entries
        for home, record in forwards(partition, offset, cluster.logs[partition][offset], destination)
    ]
    for home, log in enumerate(cluster.logs):
        arrived = list(dict.fromkeys(e.origin for e in log if isinstance(e, PointsRecord) and e.origin is not None))
        assert sorted(arrived) == sorted(record.origin for at, record in expected if at == home and record.origin)
        for partition in range(PARTITIONS):
            of_one = [origin for origin in arrived if origin.partition == partition]
            assert of_one == sorted(of_one)


@settings(max_examples=tries(60))
@given(st.integers(0, PARTITIONS - 1), _writes, _schedules, st.integers(0, 6))
def test_one_producer_gets_what_it_would_where_all_is_at_home(
    partition: int, writes: list[tuple[int, LogRecord]], schedule: Random, restarts: int
) -> None:
    cluster = run([(partition, record) for _, record in writes], schedule, restarts)
    whole = MemoryState()
    for seq, shard in enumerate(range(len(SHARD_MAP)), start=1):
        whole.apply(ShardOpened(seq=seq, uid=UID, shard=shard, name=NAME, config=CONFIG, shard_map=[0] * 4))
    for _, entry in writes:
        record = read(entry)
        if record is not None:
            whole.apply(record)
    for shard, stored in whole.stored.items():
        state = cluster.states[SHARD_MAP[shard.shard]]
        assert state.stored[shard] == stored
        assert state.metas[shard].version == whole.metas[shard].version


@settings(max_examples=tries(60))
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 2)), max_size=12))
def test_the_watermark_of_a_partition_never_goes_back(origins: list[tuple[int, int, int]]) -> None:
    state = opened()
    for point_id, numbers in enumerate(origins):
        origin = Origin(*numbers)
        before = state.watermark(origin.partition)
        record = msgspec.structs.replace(points_record(upsert({point_id: None})), origin=origin)
        applied = bool(state.apply(record)[-1].points)
        assert applied == (before is None or origin > before)
        assert state.watermark(origin.partition) == (origin if applied else before)
        assert {p: o.partition for p, o in state.watermarks.items()} == {p: p for p in state.watermarks}


@pytest.mark.parametrize("chunk", [1, 2000])
def test_a_chunked_record_is_had_only_when_it_is_whole(chunk: int) -> None:
    state = opened()
    state.run(upsert({1: None, 2: None, 3: None}))
    origin = Origin(4, 9, 0)
    record = msgspec.structs.replace(points_record(SetPayload(b'{"a":1}', filter={})), origin=origin)
    found = state.apply(record, chunk)
    assert state.payloads() == {1: {"a": 1}, 2: {"a": 1}, 3: {"a": 1}}
    assert state.watermark(4) == origin
    (again,) = state.apply(record, chunk)
    assert again.outcomes == found[-1].outcomes == [APPLIED]
    assert again.points == {}
    assert again.meta is None


def test_a_record_that_was_rejected_is_not_rejected_again() -> None:
    state = opened()
    state.apply(ShardClosed(seq=2, uid=OPENED.uid, shard=OPENED.shard))
    record = msgspec.structs.replace(points_record(upsert({1: None})), origin=Origin(0, 3, 0))
    assert state.apply(record)[0].outcomes == [GONE]
    assert state.apply(record)[0].outcomes == [APPLIED]


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(
    ("origin", "early"),
    [(Origin(0, 2, 0), True), (Origin(0, 4, 0), False), (Origin(1, 2, 0), False)],
    ids=["ahead of the marker", "behind it", "of another partition"],
)
def test_what_was_written_before_there_was_a_collection_does_not_come_after_what_was_written_since(
    origin: Origin, early: bool, together: bool
) -> None:
    """The router finds the collection by its name, when there is one by then."""
    state = MemoryState()
    state.applied = 2
    state.apply(OPENED)
    state.run(upsert({1: {"n": "new"}}))
    record = msgspec.structs.replace(points_record(upsert({1: {"n": "old"}})), origin=origin)
    if together:
        together_fold = Fold(state, ChunkLimit(100))
        assert together_fold.add(state.applied + 1, record)
        effects = together_fold.effects()
        outcomes = effects.refused.get(state.applied + 1, [APPLIED])
        state.commit(effects)
    else:
        outcomes = state.apply(record)[0].outcomes
    assert outcomes == [TOO_EARLY if early else APPLIED]
    assert state.payloads() == {1: {"n": "new" if early else "old"}}
    assert state.watermark(origin.partition) == origin
