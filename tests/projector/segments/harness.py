"""A shard whose points are also kept in a dict: views, and what is opened from the files, must agree with it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from projector.frames import ShardId
from projector.segments.build import build_segment
from projector.segments.errors import BuildFailedError
from projector.segments.manifest import read_manifest
from projector.segments.optimizer import Optimizer
from projector.segments.shard_files import delete_unknown, open_segments
from projector.segments.spec import BuildResult, BuildSpec
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from schemas.config import CollectionConfig, OptimizersConfig
from schemas.ids import PointId
from tests.projector.segments.samples import Sample, config, sample

SHARD = ShardId(3, 0)
GRAPH_ROWS = 256


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


class InProcessBuilder:
    """Builds at once; ``before`` is awaited first, and may fail."""

    def __init__(self) -> None:
        self.before: Callable[[BuildSpec], Coroutine[Any, Any, None]] | None = None
        self.specs: list[BuildSpec] = []
        self.let_goes: list[bool] = []

    def let_go(self, *, graph: bool) -> None:
        self.let_goes.append(graph)

    async def build(self, spec: BuildSpec, progress: Callable[[float], None]) -> BuildResult:
        self.specs.append(spec)
        if self.before is not None:
            await self.before(spec)
        return build_segment(spec, progress)


class State:
    """What a partition's state keeps: points as they are, and which ids changed at which offset."""

    def __init__(self) -> None:
        self.samples: dict[PointId, Sample] = {}
        self.changed: list[tuple[int, PointId]] = []
        self.dropped = -1
        self.syncs = self.flushes = 0
        self.fails = False

    async def sync(self) -> None:
        self.syncs += 1
        if self.fails:
            raise OSError("disk full")

    async def flush(self, least_bytes: int) -> None:
        self.flushes += 1

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> list[bytes | None]:
        found = map(self.samples.get, ids)
        return [None if point is None else point.stored() for point in found]

    def drop_changed(self, shard: ShardId, offset: int) -> None:
        assert offset >= self.dropped
        self.dropped = offset
        self.changed = [(at, i) for at, i in self.changed if at > offset]


class Partition:
    """The live shards and the folders of one partition, with one shard."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shards: dict[ShardId, LiveShard] = {}

    def shard(self, partition: int, shard: ShardId) -> Path:
        return self.root / f"{partition}-{shard.uid}-{shard.shard}"


class Harness:
    """One shard, its optimizer, and time that stands still unless told."""

    def __init__(self, root: Path, configuration: CollectionConfig | None = None) -> None:
        self.config = configuration or config(optimizers=OptimizersConfig(indexing_threshold=1))
        self.now = 0.0
        self.offset = 0
        self.version = 0
        self.state = State()
        self.partition = Partition(root)
        self.folder = self.partition.shard(0, SHARD)
        self.builder = InProcessBuilder()
        self.live = LiveShard(SHARD, self.config, [], 0)
        self.published: list[tuple[ShardId, int]] = []
        self._start()

    def _start(self) -> None:
        self.partition.shards[SHARD] = self.live
        self.optimizer = Optimizer(self.builder, lambda: self.now)
        self.optimizer.add(
            0, self.state, self.partition, self.partition, lambda shard, offset: self.published.append((shard, offset))
        )
        self.optimizer.observe()

    def upsert(self, ids: Sequence[int]) -> None:
        self.version += 1
        points = {PointId(i): sample(i, self.version) for i in ids}
        self.state.samples.update(points)
        self._apply(list(points), [p.stored() for p in points.values()])

    def delete(self, ids: Sequence[int]) -> None:
        gone = [PointId(i) for i in ids if PointId(i) in self.state.samples]
        for point_id in gone:
            del self.state.samples[point_id]
        self._apply(gone, [None] * len(gone))

    def _apply(self, ids: list[PointId], points: Sequence[bytes | None]) -> None:
        self.offset += 3
        self.state.changed += [(self.offset, i) for i in ids]
        self.live.apply(ids, points, self.offset)
        self.live.publish(self.offset)
        self.optimizer.observe()

    def tick(self, seconds: float) -> None:
        self.optimizer.observe()
        self.now += seconds
        self.optimizer.observe()

    async def step(self, *, graph: bool = False) -> bool:
        return await self.optimizer.step(graph=graph)

    async def settle(self) -> None:
        """Let everything be done that is due at rest."""
        self.tick(100)
        while await self.step() or await self.step(graph=True):
            self.tick(100)

    def restart(self) -> None:
        """Forget all that is in memory; take manifest and segments, then what the state says has changed since."""
        manifest = read_manifest(self.folder)
        if self.folder.exists():
            delete_unknown(self.folder, manifest)
        at = 0 if manifest is None else manifest.offset
        assert at >= self.state.dropped
        segments = [] if manifest is None else open_segments(self.folder, manifest)
        self.live = LiveShard(SHARD, self.config, segments, at)
        ids = list(dict.fromkeys(i for changed_at, i in self.state.changed if changed_at > at))
        current = [self.state.samples.get(i) for i in ids]
        self.live.apply(ids, [None if p is None else p.stored() for p in current], self.offset)
        self.live.publish(self.offset)
        self._start()

    def check(self) -> None:
        """The view is exactly the state."""
        expected = {i: (p.version, p.payload) for i, p in self.state.samples.items()}
        assert contents(self.live.view) == expected
        assert self.live.view.count == len(expected)

    @property
    def graphs(self) -> list[str]:
        return [p.segment.name for p in self.live.view.segments if p.segment.meta.indexed]

    @property
    def plain(self) -> list[str]:
        return [p.segment.name for p in self.live.view.segments if not p.segment.meta.indexed]


def contents(view: ShardView) -> dict[PointId, tuple[int, bytes]]:
    found: dict[PointId, tuple[int, bytes]] = {}
    for part in view.parts:
        for slot in range(part.size):
            if part.alive_mask()[slot]:
                point_id = part.id_at(slot)
                assert point_id not in found
                found[point_id] = (part.version_at(slot), part.payload_at(slot))
    return found


async def fail(spec: BuildSpec) -> None:
    raise BuildFailedError(f"{spec.target}: no luck")


def folders(harness: Harness) -> list[str]:
    return sorted(p.name for p in harness.folder.iterdir()) if harness.folder.exists() else []
