"""A projector of one partition, with real state, segments and feed, driven step by step; and what readers must see."""

from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import rmtree

import numpy as np

from ingest.log import Topic
from projector.feed.partition_feed import PartitionFeed
from projector.fold.chunk import ChunkLimit
from projector.folders import StateFolder
from projector.frames import Frame, ShardId
from projector.segments.build import build_segment
from projector.segments.manifest import read_manifest
from projector.segments.policy import Plan
from projector.segments.replacement import Replacement, publish
from projector.segments.shard_work import ShardWork
from projector.segments.spec import BuildResult, BuildSpec
from projector.state.store import PartitionState
from projector.view.follower import PartitionFollower
from projector.view.live_shard import LiveShard
from projector.view.part import row_of
from projector.view.recovery import open_views
from projector.view.shard_view import ShardView
from projector.worker.partition_runner import PartitionRunner
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId, ids_to_wire
from schemas.operations import DeletePoints, Operation, Outcome, SetPayload, Upsert
from schemas.points import decode_point
from schemas.records import PartitionRecord, PointsRecord, ShardChanged, ShardClosed, ShardOpened, encode_record
from schemas.vectors.dense import DenseColumn
from tests.support.memory_log import MemoryLog

CONFIG = CollectionConfig(vectors={"a": VectorParams(2, Distance.DOT)})
IDENTITY = "memory"
NO_SUCH_POINT = 999
CHUNK_POINTS = 3

Value = tuple[int, bytes, tuple[float, ...]]
"""A point's version, payload and vector."""
Points = dict[ShardId, dict[PointId, Value]]


class Builder:
    """Builds in this process."""

    def let_go(self, *, graph: bool) -> None:
        """There is no process."""

    async def build(self, spec: BuildSpec, progress: Callable[[float], None] = lambda fraction: None) -> BuildResult:
        return build_segment(spec, progress)


class Node:
    """``shown`` has the points at every offset where a record ended, ``refused`` the outcomes with rejections."""

    def __init__(self, root: Path, *, file_bytes: int) -> None:
        self.folder = StateFolder(root)
        self.log = MemoryLog()
        self.file_bytes = file_bytes
        self.seq = 0
        self.version = 0
        self.uids: list[int] = []
        self.shown: dict[int, Points] = {-1: {}}
        self.refused: dict[int, Sequence[Outcome]] = {}
        self.building: list[tuple[ShardWork, Replacement]] = []

    async def start(self) -> None:
        """Open state, views and feed, as a process does that begins or begins again."""
        self.state = PartitionState.open(self.folder.rocksdb(0), IDENTITY)
        self.runner = PartitionRunner(self.log, 0, self.state, self._on_frame, chunk=ChunkLimit(CHUNK_POINTS))
        self._sinks: list[Callable[[Frame], None]] = []
        await self.runner.finish_pending()
        self._note()
        self.follower: PartitionFollower = await open_views(0, self.state, self.folder, Builder())  # pyright: ignore[reportArgumentType]
        self.feed = await PartitionFeed.open(self.folder, 0, IDENTITY, self.state, file_bytes=self.file_bytes)
        self._sinks += [self.follower.on_frame, self.feed.on_frame]
        self.building.clear()
        self.works = {shard: self._work(shard, live) for shard, live in self.follower.shards.items()}

    def die(self) -> None:
        """End as ``kill -9`` does: what was not flushed is in no feed."""
        self.feed._pending.clear()  # pyright: ignore[reportPrivateUsage]
        self.feed.close()
        self.state.close()

    def stop(self) -> None:
        self.feed.close()
        self.state.close()

    def _on_frame(self, frame: Frame) -> None:
        for sink in self._sinks:
            sink(frame)
        if frame.final:
            self._note()
        if frame.outcomes:
            self.refused[frame.offset] = frame.outcomes

    def _note(self) -> None:
        self.shown[self.state.applied] = {
            shard: {i: _value(stored) for i, stored in self.state.scan(shard, None)} for shard in self.state.shards()
        }

    def put(self, record: PartitionRecord) -> int:
        return self.log.put(Topic.POINTS, 0, encode_record(record))

    def open_shard(self) -> None:
        self.seq += 1
        self.uids.append(self.seq)
        self.put(ShardOpened(seq=self.seq, uid=self.seq, shard=0, name=f"c{self.seq}", config=CONFIG, shard_map=[0]))

    def change_shard(self, uid: int) -> None:
        self.seq += 1
        changed = CollectionConfig(vectors=CONFIG.vectors, metadata={"seq": self.seq})
        self.put(ShardChanged(seq=self.seq, uid=uid, shard=0, config=changed))

    def close_shard(self, uid: int) -> None:
        self.seq += 1
        self.uids.remove(uid)
        self.put(ShardClosed(seq=self.seq, uid=uid, shard=0))

    def write(self, uid: int, operation: Operation) -> None:
        self.put(PointsRecord(uid=uid, shard=0, ops=[operation]))

    def upsert(self, ids: Sequence[int]) -> Upsert:
        self.version += 1
        data = np.full((len(ids), 2), self.version, "<f4").tobytes()
        payloads = [b'{"v":%d}' % self.version] * len(ids)
        return Upsert(ids_to_wire(map(PointId, ids)), {"a": DenseColumn(2, data)}, payloads)

    def delete(self, ids: Sequence[int]) -> DeletePoints:
        return DeletePoints(ids=ids_to_wire(map(PointId, ids)))

    def refused_operation(self) -> SetPayload:
        return SetPayload(b'{"x":1}', ids=[NO_SUCH_POINT])

    async def apply(self, chunks: int | None = None) -> None:
        """Apply what is on the log, or some chunks of its next record."""
        if chunks is None:
            await self.runner.catch_up(await self.log.end_offset(Topic.POINTS, 0))
        elif records := await self.log.read(Topic.POINTS, 0, self.state.applied + 1, 1):
            await self.runner.apply(records[0], chunks)
        for shard, live in self.follower.shards.items():
            if shard not in self.works:
                self.works[shard] = self._work(shard, live)

    def delete_closed(self) -> None:
        for shard in self.works.keys() - self.follower.shards.keys():
            if not self.works[shard].building:
                rmtree(self.works.pop(shard).folder, ignore_errors=True)

    def begin_build(self, uid: int, chosen: Sequence[bool], seal: bool) -> None:
        """Take a view to build a segment from: of some of its segments and, if asked, of its tail."""
        work = self.works.get(ShardId(uid, 0))
        if work is None or work.live is not self.follower.shards.get(work.shard):
            return
        free = [p.segment.name for p in work.live.view.segments if p.segment.name not in work.busy]
        names = [name for name, taken in zip(free, chosen, strict=False) if taken]
        if seal and "tail" in work.busy:
            return
        work.busy.update(names, ["tail"] if seal else [])
        work.building += 1
        self.building.append((work, Replacement(work, Plan(tuple(names), seal), self.state)))

    async def finish_build(self, which: int) -> None:
        """Build it, put it into the view, write the manifest and tell the feed."""
        if not self.building:
            return
        work, replacement = self.building.pop(which % len(self.building))
        work.building -= 1
        plan = replacement._plan  # pyright: ignore[reportPrivateUsage]
        work.busy.difference_update(plan.segments, ["tail"] if plan.seal else [])
        if work.live is not self.follower.shards.get(work.shard):
            return
        built = await replacement.build(Builder(), lambda fraction: None)
        replacement.swap(built.segment, 0)
        self.feed.resealed(work.shard, await publish(work, self.state))

    def _work(self, shard: ShardId, live: LiveShard) -> ShardWork:
        folder = self.folder.shard(0, shard)
        return ShardWork(shard, live, folder, read_manifest(folder), 0)


def contents(view: ShardView) -> dict[PointId, Value]:
    """What a view shows; each point must be there once."""
    found: dict[PointId, Value] = {}
    for part in view.parts:
        vectors = part.vectors("a")
        for slot in np.flatnonzero(part.alive_mask()).tolist():
            assert vectors is not None
            point_id = part.id_at(slot)
            assert point_id not in found
            row = vectors.value(row_of(vectors, slot))
            found[point_id] = (part.version_at(slot), part.payload_at(slot), tuple(row.tolist()))
    return found


def _value(stored: bytes) -> Value:
    point = decode_point(stored)
    return point.version, point.payload, tuple(np.frombuffer(point.vectors[0], "<f4").tolist())
