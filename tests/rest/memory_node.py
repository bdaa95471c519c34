"""A node in memory: the real folds and views over a log that is a list, applied as soon as a record is appended."""

import asyncio
from collections.abc import Callable, Sequence

from ingest.deadline import Deadline
from ingest.log import Headers, LogRecord, LogUnavailableError, Message, RecordTooLargeError, Topic
from ingest.ports import CollectionEntry
from projector.catalog.fold import fold_catalog
from projector.catalog.follower import CatalogFollower
from projector.catalog.state import CatalogState
from projector.fold.fold import Fold
from projector.frames import Frame, ShardId
from projector.view.follower import PartitionFollower
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from projector.waiters import not_visible
from projector.worker.catalog_runner import MarkerOffset, Publish
from query_api.builds import build_of
from query_api.local import LocalShard
from query_api.ports import CollectionCounts, CollectionStatus, ShardBuild
from schemas.errors import TimedOutError
from schemas.operations import Outcome
from schemas.records import decode_catalog_record, decode_partition_record, encode_record
from tests.support.memory_state import MemoryState


class MemoryLog:
    """Implements Log. ``broken``: appends fail; ``silent``: they never end; ``takes``: bytes of a record at most.

    ``on_append`` is told of every record.
    """

    identity = "memory"

    def __init__(self, partitions: int, on_append: Callable[[Topic, int, int, bytes], None]) -> None:
        self.records: dict[tuple[Topic, int], list[bytes]] = {}
        self.broken = False
        self.silent = False
        self.takes = 1 << 30
        self.points_partitions = partitions
        self._on_append = on_append

    def partitions(self, topic: Topic) -> int:
        return self.points_partitions if topic is Topic.POINTS else 1

    async def append(
        self, topic: Topic, partition: int, value: bytes | None, *, key: bytes | None = None, headers: Headers = ()
    ) -> int:
        if self.broken:
            raise LogUnavailableError("the disk is full")
        if self.silent:
            await asyncio.Event().wait()
        if len(value or b"") > self.takes:
            raise RecordTooLargeError(f"a record has at most {self.takes} bytes")
        return self.put(topic, partition, value or b"")

    async def append_all(self, topic: Topic, partition: int, messages: Sequence[Message]) -> None:
        for message in messages:
            await self.append(topic, partition, message.value)

    def put(self, topic: Topic, partition: int, value: bytes) -> int:
        records = self.records.setdefault((topic, partition), [])
        records.append(value)
        offset = len(records) - 1
        self._on_append(topic, partition, offset, value)
        return offset

    async def read(self, topic: Topic, partition: int, from_offset: int, max_bytes: int) -> Sequence[LogRecord]:
        values = self.records.get((topic, partition), [])
        return [LogRecord(partition, o, 0, None, v, ()) for o, v in enumerate(values) if o >= from_offset]

    async def wait(self, topic: Topic, partition: int, offset: int) -> None:
        raise AssertionError("nothing follows this log")

    async def start_offset(self, topic: Topic, partition: int) -> int:
        return 0

    async def end_offset(self, topic: Topic, partition: int) -> int:
        return len(self.records.get((topic, partition), []))

    async def offset_at(self, topic: Topic, partition: int, time_ms: int) -> int:
        raise AssertionError("its records have no time")

    async def close(self) -> None:
        self.broken = True


class MemoryNode:
    """Implements Visibility, Readers and Readiness, and has a ``log`` and a ``catalog``.

    ``stalled``: records are kept but not applied. ``is_ready``: what readiness says. ``on_frame`` and ``on_catalog``
    are told what is applied.
    """

    def __init__(self, partitions: int = 1) -> None:
        self.log = MemoryLog(partitions, self._on_append)
        self.catalog = CatalogFollower()
        self.stalled = False
        self.is_ready = True
        self._catalog_state = CatalogState()
        self._states = [MemoryState() for _ in range(partitions)]
        self.on_frame: Callable[[int, Frame], None] = lambda partition, frame: None
        self.on_catalog: Publish = lambda offset, state, outcomes, markers: None
        self._followers = [PartitionFollower(p, {}, -1) for p in range(partitions)]

    def _on_append(self, topic: Topic, partition: int, offset: int, value: bytes) -> None:
        if self.stalled:
            return
        if topic is Topic.CATALOG:
            self._apply_catalog(offset, value)
        else:
            self._apply_points(partition, offset, value)

    def _apply_catalog(self, offset: int, value: bytes) -> None:
        effects = fold_catalog(self._catalog_state, decode_catalog_record(value))
        self._catalog_state = effects.state
        markers: list[MarkerOffset] = [
            (partition, self.log.put(Topic.POINTS, partition, encode_record(marker)))
            for partition, marker in effects.markers
        ]
        outcomes = _refused([effects.outcome])
        self.catalog.publish(offset, effects.state, outcomes, markers)
        self.on_catalog(offset, effects.state, outcomes, markers)

    def _apply_points(self, partition: int, offset: int, value: bytes) -> None:
        state, record, cursor = self._states[partition], decode_partition_record(value), None
        while True:
            fold = Fold(state, cursor=cursor)
            fold.add(offset, record)
            effects = fold.effects()
            cursor = effects.cursor
            state.commit(effects)
            events = [event for shard in effects.shards for event in shard.events]
            frame = Frame(offset, events, effects.refused.get(offset, []), cursor is None)
            self._followers[partition].on_frame(frame)
            self.on_frame(partition, frame)
            if cursor is None:
                return

    def check_applied(self, topic: Topic, partition: int) -> None:
        """The disk is memory."""

    async def wait(self, topic: Topic, partition: int, offset: int, deadline: Deadline) -> Sequence[Outcome]:
        waiters = self.catalog.waiters if topic is Topic.CATALOG else self._followers[partition].waiters
        try:
            return await waiters.wait(offset, deadline.left())
        except TimedOutError:
            raise not_visible(offset, deadline.seconds) from None

    async def reach(self, topic: Topic, partition: int, offset: int, deadline: Deadline) -> None:
        await self.wait(topic, partition, offset, deadline)

    def views(self, entry: CollectionEntry) -> list[ShardView]:
        return [
            self._followers[partition].shards[ShardId(part.uid, shard)].view
            for part in entry.parts
            for shard, partition in enumerate(part.shard_map)
        ]

    def live(self, shard: ShardId) -> LiveShard:
        """One of the shards, to put segments into."""
        return next(follower.shards[shard] for follower in self._followers if shard in follower.shards)

    def shards(self, entry: CollectionEntry) -> list[LocalShard]:
        return list(map(LocalShard, self.views(entry)))

    async def counts(self, entry: CollectionEntry) -> CollectionCounts:
        return CollectionCounts(sum(v.count for v in self.views(entry)), 0, 0, CollectionStatus.GREEN)

    def builds(self, entry: CollectionEntry) -> list[ShardBuild]:
        return [build_of(view, up_to_date=True) for view in self.views(entry)]

    def visible(self, topic: Topic, partition: int) -> int:
        waiters = self.catalog.waiters if topic is Topic.CATALOG else self._followers[partition].waiters
        return waiters.visible

    async def applied_lag(self, topic: Topic, partition: int) -> int | None:
        return 0

    def ready(self) -> tuple[bool, str]:
        return self.is_ready, "ready" if self.is_ready else "catching up"


def _refused(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [] if all(o.applied for o in outcomes) else list(outcomes)
