"""The embedded node: log, catalog, partitions and views in one process, on one event loop."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from compose.local_views import LocalViews
from compose.progress import progress
from compose.settings import DataFolder, Settings
from ingest.embedded.log import EmbeddedLog
from ingest.log import LogRecord, Topic
from projector.catalog.follower import CatalogFollower
from projector.catalog.runner import CatalogRunner
from projector.catalog.store import CatalogStore
from projector.folders import StateFolder
from projector.follower import PartitionFollower
from projector.recovery import open_views
from projector.rejected import send_rejected
from projector.runner import PartitionRunner, ignore_frame
from projector.segments.builder import SegmentBuilder
from projector.segments.optimizer import Optimizer
from projector.state.origin import check_log
from projector.state.store import PartitionState
from schemas.operations import Outcome

_logger = structlog.get_logger("headwater")


@dataclass(slots=True)
class Partition:
    """One points partition of this node."""

    state: PartitionState
    follower: PartitionFollower
    runner: PartitionRunner


class EmbeddedNode:
    """``log``, ``catalog`` and ``views`` are what the routes need; ``ready`` says when they may be used."""

    def __init__(self, settings: Settings, log: EmbeddedLog, builder: SegmentBuilder) -> None:
        self.settings = settings
        self.log = log
        self.catalog = CatalogFollower()
        self.builder = builder
        self._folder = StateFolder(DataFolder(settings.data).state)
        self._partitions: list[Partition] = []
        self._catalog_store: CatalogStore | None = None
        self._caught_up = asyncio.Event()
        self.optimizer = Optimizer(builder)
        self.views = LocalViews(self.catalog, self.optimizer, self._queued)

    @classmethod
    async def open(cls, settings: Settings) -> "EmbeddedNode":
        """Open log and state and bring the views to the applied offsets.

        Raises what the log and the state raise when they are locked, damaged or don't fit each other.
        """
        log = await EmbeddedLog.open(DataFolder(settings.data).log, settings.partitions)
        node = cls(settings, log, SegmentBuilder())
        try:
            await node._open()
        except BaseException:
            await node.close()
            raise
        return node

    async def _open(self) -> None:
        store = CatalogStore.open(self._folder.catalog, self.log.identity)
        self._catalog_store = store
        await check_log(store, self.log, Topic.CATALOG, 0)
        for partition in range(self.log.partitions(Topic.POINTS)):
            opened = await self._open_partition(partition)
            self._partitions.append(opened)
            self.views.add(opened.follower)

    async def _open_partition(self, partition: int) -> Partition:
        state = PartitionState.open(self._folder.rocksdb(partition), self.log.identity)
        try:
            await check_log(state, self.log, Topic.POINTS, partition)
            await PartitionRunner(self.log, partition, state, ignore_frame, reject=self._reject_point).finish_pending()
            follower = await open_views(partition, state, self._folder, self.builder)
            self.optimizer.add(partition, state, follower, self._folder)
        except BaseException:
            state.close()
            raise
        runner = PartitionRunner(
            self.log, partition, state, follower.on_frame, reject=self._reject_point, throttle=self.optimizer.throttle
        )
        return Partition(state, follower, runner)

    async def _reject_point(self, record: LogRecord, outcomes: Sequence[Outcome]) -> None:
        await send_rejected(self.log, Topic.POINTS, record, outcomes)

    async def _reject_catalog(self, record: LogRecord, outcomes: Sequence[Outcome]) -> None:
        await send_rejected(self.log, Topic.CATALOG, record, outcomes)

    async def run(self) -> None:
        """Catch up with the log, then follow it. Returns only by an exception: then the process must end."""
        if self._catalog_store is None:
            raise AssertionError("run follows open")
        catalog = CatalogRunner(
            self.log,
            self._catalog_store,
            self.catalog.publish,
            self._reject_catalog,
            seen=lambda partition: self._partitions[partition].state.marker_seq,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self.optimizer.run())
            await self._catch_up()
            await catalog.start()
            await catalog.catch_up(await self.log.end_offset(Topic.CATALOG, 0))
            for partition in self._partitions:
                group.create_task(partition.runner.run())
            group.create_task(catalog.run())
            # Markers sent while catching up with the catalog open shards that reads may name.
            await self._wait_for_ends()
            self._caught_up.set()
            _logger.info("ready", collections=len(self.catalog.collections()))

    async def _catch_up(self) -> None:
        ends = [await self.log.end_offset(Topic.POINTS, p) for p in range(len(self._partitions))]
        behind = [max(0, end - p.runner.applied - 1) for p, end in zip(self._partitions, ends, strict=True)]
        if not sum(behind):
            return
        with progress("catching up with the log", sum(behind)) as advance:
            for partition, end in zip(self._partitions, ends, strict=True):
                while partition.runner.applied + 1 < end and await partition.runner.step(end):
                    left = [max(0, e - p.runner.applied - 1) for p, e in zip(self._partitions, ends, strict=True)]
                    advance(sum(behind) - sum(left))
                    await asyncio.sleep(0)

    async def _wait_for_ends(self) -> None:
        for index, partition in enumerate(self._partitions):
            end = await self.log.end_offset(Topic.POINTS, index)
            await partition.follower.waiters.wait(end - 1, None)

    async def _queued(self, partition: int) -> int:
        end = await self.log.end_offset(Topic.POINTS, partition)
        return end - 1 - self._partitions[partition].runner.applied

    async def caught_up(self) -> None:
        """Return once the node is ready."""
        await self._caught_up.wait()

    def ready(self) -> tuple[bool, str]:
        """Whether the views have caught up with the log as it was at the start."""
        if self._caught_up.is_set():
            return True, "ready"
        applied = sum(p.runner.applied + 1 for p in self._partitions)
        return False, f"catching up with the log: {applied} records applied"

    async def close(self) -> None:
        """Stop building, make the state durable, release everything."""
        await self.builder.close()
        for partition in self._partitions:
            await _sync(partition.state)
            partition.state.close()
        if self._catalog_store is not None:
            await _sync(self._catalog_store)
            self._catalog_store.close()
        await self.log.close()


async def _sync(state: PartitionState | CatalogStore) -> None:
    try:
        await state.sync()
    except Exception as error:
        # rocksdict has no class of its own for a full disk. Nothing is lost with it: what isn't in the state is on the
        # log, and is folded again at the next start.
        _logger.error("state not synced", reason=str(error))
