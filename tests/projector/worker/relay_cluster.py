"""Three partitions folded and routed over a log in memory, by a process that dies at any step and comes again."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec

from ingest.foreign import Destination
from ingest.kafka.groups import Offsets
from ingest.log import Headers, LogRecord, Topic
from ingest.outcomes import Rejection
from ingest.router import Router
from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Effects
from projector.frames import ShardId
from projector.state.store import PartitionState
from projector.worker.outbox_relay import OutboxRelay, RelayResources
from projector.worker.partition_runner import PartitionRunner, ignore_frame
from projector.worker.rejected import ORIGIN_HEADER, send_rejected
from projector.worker.router_offsets import RouterOffsets
from schemas.ids import PointId, shard_of
from schemas.points import decode_point
from schemas.records import PointsRecord, ShardOpened, decode_partition_record, encode_record
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_log import MemoryLog

PARTITIONS = 3
GROUP = "router"
LIMIT = 60.0
SHARD_MAPS = {"a": (7, (0, 1, 2, 1)), "b": (8, (2,))}


class DeathError(Exception):
    """Stands for the process's death."""


class Steps:
    """Counts what can be interrupted, and dies at the ``fatal``-th step."""

    def __init__(self, fatal: int | None = None) -> None:
        self.count = 0
        self._fatal = fatal

    def take(self) -> None:
        """Die here, or go on."""
        self.count += 1
        if self._fatal is not None and self.count >= self._fatal:
            raise DeathError


class SteppedLog(MemoryLog):
    """Every append can be the last thing a process does, or the one that it does not get to do any more."""

    def __init__(self) -> None:
        super().__init__(PARTITIONS)
        self.steps = Steps()

    async def append(
        self, topic: Topic, partition: int, value: bytes | None, *, key: bytes | None = None, headers: Headers = ()
    ) -> int:
        await asyncio.sleep(0)
        self.steps.take()
        offset = self.put(topic, partition, value, key=key, headers=headers)
        self.steps.take()
        return offset

    async def append_together(
        self,
        topic: Topic,
        partition: int,
        values: Sequence[bytes],
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> int:
        await asyncio.sleep(0)
        self.steps.take()
        offset = await super().append_together(topic, partition, values, headers, timestamp_ms)
        self.steps.take()
        return offset

    async def read(self, topic: Topic, partition: int, from_offset: int, max_bytes: int) -> Sequence[LogRecord]:
        await asyncio.sleep(0)
        return await super().read(topic, partition, from_offset, 200)


class SteppedState(PartitionState):
    """Dies before or after anything is written."""

    steps = Steps()
    place: Path

    @classmethod
    def open(cls, folder: Path, identity: str, *, read_only: bool = False, even_unwritable: bool = False) -> Self:
        state = super().open(folder, identity, read_only=read_only, even_unwritable=even_unwritable)
        state.place = folder
        return state

    def commit(self, effects: Effects, value: bytes | None) -> None:
        self.steps.take()
        super().commit(effects, value)
        self.steps.take()

    def resolved(self, entries: Sequence[tuple[int, Destination]]) -> None:
        self.steps.take()
        super().resolved(entries)
        self.steps.take()

    def forwarded(self, offset: int) -> None:
        self.steps.take()
        super().forwarded(offset)
        self.steps.take()

    async def sync(self) -> None:
        await super().sync()
        survives = surviving(self.place)
        shutil.rmtree(survives, ignore_errors=True)
        self.checkpoint(survives)


def surviving(folder: Path) -> Path:
    """Where the copy is of what a loss of power leaves of a state."""
    return folder.with_suffix(".synced")


@dataclass
class MemoryProgress:
    """Implements ``Progress``; what was committed survives."""

    offsets: dict[tuple[Topic, int], int] = field(default_factory=dict[tuple[Topic, int], int])
    history: list[tuple[tuple[Topic, int], int]] = field(default_factory=list[tuple[tuple[Topic, int], int]])
    steps: Steps = field(default_factory=Steps)

    async def committed(self, group: str) -> Offsets:
        return dict(self.offsets)

    async def commit(self, group: str, offsets: Offsets) -> None:
        await asyncio.sleep(0)
        self.steps.take()
        self.offsets.update(offsets)
        self.history += offsets.items()
        self.steps.take()


class Cluster:
    """Collection ``a`` has four shards, ``b`` one; ``short`` is an alias of ``a``."""

    def __init__(self, folder: Path, first: Mapping[int, tuple[str, int]] | None = None) -> None:
        """``first``: partition -> collection and point, written there before any collection is made."""
        self.folder = folder
        self.log = SteppedLog()
        self.progress = MemoryProgress()
        self.catalog = MemoryCatalog()
        self.bad: set[str] = set()
        self.writes: dict[str, dict[int, int]] = {"a": {}, "b": {}}
        self.counts = {ShardId(uid, shard): 0 for uid, homes in SHARD_MAPS.values() for shard in range(len(homes))}
        self._number = 0
        for partition, point in (first or {}).items():
            self.write(partition, *point)
        for name, (uid, shard_map) in SHARD_MAPS.items():
            self.open_collection(name, uid, shard_map)
        self.catalog.alias("short", "a")

    def open_collection(self, name: str, uid: int, shard_map: Sequence[int]) -> None:
        """Put the markers on the log."""
        config = self.catalog.create(name, uid, shard_map).config
        for shard, partition in enumerate(shard_map):
            seq = len(self.log.values(Topic.POINTS, partition)) + 1
            marker = ShardOpened(seq=seq, uid=uid, shard=shard, name=name, config=config, shard_map=list(shard_map))
            self.log.put(Topic.POINTS, partition, encode_record(marker))

    def write(self, partition: int, name: str, point: int) -> None:
        """A producer upserts a point, through whatever partition."""
        self._number += 1
        collection = "a" if name == "short" else name
        self.put(partition, {"collection_name": name, "id": point, "vector": [1.0], "payload": {"n": self._number}})
        self.writes[collection][point] = self._number
        uid, shard_map = SHARD_MAPS[collection]
        self.counts[ShardId(uid, shard_of(PointId(point), len(shard_map)))] += 1

    def put_bad(self, partition: int, body: Mapping[str, Any] | bytes) -> None:
        """A record that is to be rejected."""
        self.bad.add(f"points/{partition}/{self.put(partition, body)}")

    def put(self, partition: int, body: Mapping[str, Any] | bytes) -> int:
        """A foreign record; its offset."""
        return self.log.put(Topic.POINTS, partition, body if isinstance(body, bytes) else msgspec.json.encode(body))

    def live(self, fatal: int | None = None) -> int:
        """Run a process until there is nothing left to do, or it dies; how many steps it took."""
        steps = Steps(fatal)
        self.log.steps = self.progress.steps = SteppedState.steps = steps
        asyncio.run(asyncio.wait_for(Process(self).run(), LIMIT))
        return steps.count

    def fold_alone(self, partition: int) -> None:
        """Fold a partition while its router does not get to do anything."""
        SteppedState.steps = Steps()
        state = SteppedState.open(self.folder / str(partition), "memory")
        try:
            runner = PartitionRunner(self.log, partition, state, ignore_frame, to_relay=lambda offset: True)
            asyncio.run(runner.catch_up(len(self.log.values(Topic.POINTS, partition))))
        finally:
            state.close()

    def relay_untold(self, partition: int) -> None:
        """Fold a partition beside its router, which nobody tells that there is something to do."""
        SteppedState.steps = self.log.steps = self.progress.steps = Steps()
        asyncio.run(asyncio.wait_for(Process(self).relay_untold(partition), LIMIT))

    def lose_state(self, partition: int) -> None:
        """What an operator does to have it rebuilt."""
        shutil.rmtree(self.folder / str(partition), ignore_errors=True)

    def lose_power(self) -> None:
        """States are what was synced of them."""
        for partition in range(PARTITIONS):
            self.lose_state(partition)
            synced = surviving(self.folder / str(partition))
            if synced.exists():
                shutil.copytree(synced, self.folder / str(partition))

    def forwarded_to(self) -> dict[tuple[int, int], set[int]]:
        """Where a record came from -> the collections it was forwarded to."""
        found: dict[tuple[int, int], set[int]] = {}
        for value in (value for p in range(PARTITIONS) for value in self.log.values(Topic.POINTS, p)):
            record = None if value is None or value.startswith(b"{") else decode_partition_record(value)
            if isinstance(record, PointsRecord) and record.origin is not None:
                found.setdefault((record.origin.partition, record.origin.offset), set()).add(record.uid)
        return found

    def rejected(self) -> list[str]:
        """Where the rejected records came from, in order, once for every time they were sent."""
        records = asyncio.run(_all(self.log))
        return [dict(record.headers)[ORIGIN_HEADER].decode() for record in records]

    def points(self) -> dict[str, dict[int, Any]]:
        """Collection -> point -> payload."""
        found: dict[str, dict[int, Any]] = {name: {} for name in SHARD_MAPS}
        for partition in range(PARTITIONS):
            state = PartitionState.open(self.folder / str(partition), "memory", read_only=True)
            for shard, meta in state.shards().items():
                for point, stored in state.scan(shard, None):
                    found[meta.name][point] = msgspec.json.decode(decode_point(stored).payload or b"null")
            state.close()
        return found

    def check(self) -> None:
        """Every write was applied once and in order; every bad record was rejected, and no other."""
        versions: dict[ShardId, int] = {}
        for partition in range(PARTITIONS):
            state = PartitionState.open(self.folder / str(partition), "memory", read_only=True)
            versions.update((shard, meta.version) for shard, meta in state.shards().items())
            assert state.outbox(0) == []
            state.close()
        found = {name: {i: payload["n"] for i, payload in points.items()} for name, points in self.points().items()}
        assert found == self.writes
        assert versions == self.counts, "a write was applied twice, or not at all"
        assert set(self.rejected()) == self.bad
        for place in {place for place, _ in self.progress.history}:
            offsets = [offset for seen, offset in self.progress.history if seen == place]
            assert offsets == sorted(offsets), "the router's group went back"


async def _all(log: MemoryLog) -> list[LogRecord]:
    return list(await MemoryLog.read(log, Topic.REJECTED, 0, 0, 1 << 30))


class Process:
    """A worker that has all partitions."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._states: list[PartitionState] = []

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                await self._run(group)
        except* DeathError:
            pass
        finally:
            for state in self._states:
                state.close()

    async def relay_untold(self, partition: int) -> None:
        state = SteppedState.open(self._cluster.folder / str(partition), "memory")
        async with asyncio.TaskGroup() as group:
            relay = await OutboxRelay.open(self._shared(group), partition, state)
            for _ in range(10):
                await asyncio.sleep(0)
            log = self._cluster.log
            runner = PartitionRunner(log, partition, state, ignore_frame, reject=self._reject, to_relay=relay.to_relay)
            await runner.catch_up(await log.end_offset(Topic.POINTS, partition))
            assert state.outbox(0)
            while state.outbox(0):
                await asyncio.sleep(0)
            await relay.close()
        state.close()

    def _shared(self, group: asyncio.TaskGroup) -> RelayResources:
        cluster = self._cluster
        router = Router(cluster.log, cluster.catalog, cluster.catalog.catch_up, self._reject)
        routed = RouterOffsets(cluster.log, cluster.progress, GROUP)
        return RelayResources(routed, router, self._reject, group.create_task, commit_seconds=0)

    async def _run(self, group: asyncio.TaskGroup) -> None:
        cluster, shared = self._cluster, self._shared(group)
        parts: list[tuple[PartitionRunner, OutboxRelay]] = []
        for partition in range(PARTITIONS):
            state = SteppedState.open(cluster.folder / str(partition), "memory")
            self._states.append(state)
            relay = await OutboxRelay.open(shared, partition, state)
            runner = PartitionRunner(
                cluster.log,
                partition,
                state,
                ignore_frame,
                reject=relay.reject,
                to_relay=relay.to_relay,
                chunk=ChunkLimit(2),
            )
            parts.append((runner, relay))
            await runner.finish_pending()
        while not await self._is_done():
            for partition, (runner, relay) in enumerate(parts):
                start = self._states[partition].applied + 1
                records = await cluster.log.read(Topic.POINTS, partition, start, 0)
                await runner.apply_all(records)
                relay.applied(records if start % 2 else [])
        for _, relay in parts:
            await relay.close()

    async def _is_done(self) -> bool:
        await asyncio.sleep(0)
        for partition, state in enumerate(self._states):
            end = await self._cluster.log.end_offset(Topic.POINTS, partition)
            if state.applied + 1 < end or state.outbox(0, 1):
                return False
        return True

    async def _reject(self, rejections: Sequence[Rejection]) -> None:
        await send_rejected(self._cluster.log, Topic.POINTS, rejections)
