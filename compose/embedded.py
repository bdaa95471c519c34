"""The embedded node: log, catalog, partitions and views in one process, on one event loop."""

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import structlog

from compose.local_views import LocalViews
from compose.log_retention import LogRetention
from compose.progress import progress
from compose.settings import DataFolder, Settings
from ingest.embedded.log import EmbeddedLog
from ingest.log import Topic
from projector.catalog.follower import CatalogFollower
from projector.catalog.state import CatalogState, MarkerOffset
from projector.catalog.store import CatalogStore
from projector.feed.catalog_feed import CatalogFeed
from projector.feed.partition_feed import PartitionFeed
from projector.folders import StateFolder
from projector.segments.builder import SegmentBuilder
from projector.segments.optimizer import Optimizer
from projector.segments.reader import Segment
from projector.snapshot import SnapshotService, SnapshotsFolder
from projector.state.store import PartitionState
from projector.threads import open_aside
from projector.worker.catalog_service import CatalogService
from projector.worker.known_losses import KnownLosses
from projector.worker.partition_service import Feed, PartitionResources, PartitionService
from projector.worker.relay import no_relay, rejecter
from projector.worker.retry import when_room
from schemas.operations import Outcome

_logger = structlog.get_logger("headwater")


class EmbeddedNode:
    """``log``, ``catalog`` and ``views`` are what the routes need; ``ready`` says when they may be used.

    With ``feeds`` readers in other processes follow it, and it is them who search.
    """

    def __init__(self, settings: Settings, log: EmbeddedLog, builder: SegmentBuilder, *, feeds: bool = False) -> None:
        """See ``open``."""
        self.settings = settings
        self.log = log
        self.catalog = CatalogFollower()
        self.builder = builder
        self._folder = StateFolder(DataFolder(settings.data).state)
        self._partitions: list[PartitionService] = []
        self._catalog: CatalogService | None = None
        self._caught_up = asyncio.Event()
        self._make_ready = Segment.check_graphs if feeds else Segment.load_graphs
        self.optimizer = Optimizer(builder, make_ready=self._make_ready)
        self._feeds = feeds
        self._catalog_feed = CatalogFeed(self._folder, log.identity) if feeds else None
        self._snapshots = SnapshotService(
            SnapshotsFolder(DataFolder(settings.data).snapshots), self._folder, log.identity
        )
        self._losses = KnownLosses()
        data = DataFolder(settings.data)
        self._retention = LogRetention(log, data.log, settings.log_retention_bytes, self._folder, data.snapshots)
        self.views = LocalViews(self.catalog, self.optimizer, self._queued)

    @classmethod
    async def open(cls, settings: Settings, *, feeds: bool = False) -> "EmbeddedNode":
        """Open log and state and bring the views to the applied offsets; with ``feeds``, begin to write these.

        Raises what the log and the state raise when they are locked, damaged or don't fit each other.
        """
        log = await EmbeddedLog.open(DataFolder(settings.data).log, settings.partitions)
        node = cls(settings, log, SegmentBuilder(), feeds=feeds)
        try:
            with node._snapshots.advising():
                await node._open()
        except BaseException:
            await node.close()
            raise
        return node

    async def _open(self) -> None:
        feed = self._catalog_feed
        self._catalog = await CatalogService.open(
            self.log,
            self._open_catalog,
            self._publish_catalog,
            rejecter(self.log, Topic.CATALOG),
            seen=lambda partition: self._partitions[partition].state.marker_seq,
            listeners=[self._snapshots, self._losses, *([] if feed is None else [feed])],
        )
        kv = self._catalog.store.kv
        kv.on_writable = self._on_catalog_writable
        self._on_catalog_writable(kv.unwritable)
        shared = PartitionResources(
            self.log,
            self._folder,
            self.builder,
            self.optimizer,
            self._open_state,
            no_relay(self.log),
            self._open_feed if self._feeds else None,
            [self._snapshots, self._losses],
            make_ready=self._make_ready,
        )
        for partition in range(self.log.partitions(Topic.POINTS)):
            opened = await PartitionService.open(shared, partition)
            self._partitions.append(opened)
            self.views.add(opened.follower)
        if not self._feeds:
            await asyncio.to_thread(self._forget_feeds)

    def _forget_feeds(self) -> None:
        # Of a server with workers: nobody reads them now, and the next such server begins others.
        for folder in (self._folder.catalog_feed, *map(self._folder.feed, range(len(self._partitions)))):
            shutil.rmtree(folder, ignore_errors=True)

    async def _open_catalog(self) -> CatalogStore:
        folder, identity = self._folder.catalog, self.log.identity
        return await open_aside(lambda: CatalogStore.open(folder, identity, even_unwritable=True))

    async def _open_state(self, partition: int) -> PartitionState:
        folder, identity = self._folder.rocksdb(partition), self.log.identity
        return await open_aside(lambda: PartitionState.open(folder, identity, even_unwritable=True))

    async def _open_feed(self, partition: int, state: PartitionState) -> Feed:
        begin = partial(PartitionFeed.open, self._folder, partition, self.log.identity, state)
        return await when_room(begin, f"the feed of points-{partition}")

    def _publish_catalog(
        self, offset: int, state: CatalogState, outcomes: Sequence[Outcome], markers: Sequence[MarkerOffset]
    ) -> None:
        if self._catalog_feed is not None:
            self._catalog_feed.publish(offset, state, outcomes, markers)
        self.catalog.publish(offset, state, outcomes, markers)

    def _on_catalog_writable(self, reason: str | None) -> None:
        self.catalog.waiters.stall(reason)
        if self._catalog_feed is not None:
            self._catalog_feed.paused(reason)

    async def run(self) -> None:
        """Catch up with the log, then follow it. Returns only by an exception: then the process must end."""
        catalog = self._catalog
        if catalog is None:
            raise AssertionError("run follows open")
        async with asyncio.TaskGroup() as group:
            group.create_task(self.optimizer.run())
            group.create_task(self._snapshots.run())
            group.create_task(self._retention.run())
            await self._catch_up()
            await when_room(catalog.start, "publishing the catalog")
            self._on_catalog_writable(catalog.unwritable)
            await catalog.catch_up(await catalog.end_offset())
            for service in (*self._partitions, catalog):
                group.create_task(service.follow())
            # Markers sent while catching up with the catalog open shards that reads may name.
            await self._wait_for_ends()
            self._caught_up.set()
            _logger.info("ready", collections=len(self.catalog.collections()))

    async def _catch_up(self) -> None:
        ends = [await service.end_offset() for service in self._partitions]
        starts = [service.applied + 1 for service in self._partitions]
        if not (behind := sum(ends) - sum(starts)):
            return
        with progress("catching up with the log", behind) as advance:
            for service, end in zip(self._partitions, ends, strict=True):
                await service.catch_up(end, lambda _: advance(self._applied() - sum(starts)))

    def _applied(self) -> int:
        return sum(service.applied + 1 for service in self._partitions)

    async def _wait_for_ends(self) -> None:
        for service in self._partitions:
            await service.follower.waiters.wait(await service.end_offset() - 1, None)

    async def _queued(self, partition: int) -> int:
        service = self._partitions[partition]
        return await service.end_offset() - 1 - service.applied

    async def caught_up(self) -> None:
        """Return once the node is ready."""
        await self._caught_up.wait()

    def ready(self) -> tuple[bool, str]:
        """Whether the views have caught up with the log as it was at the start."""
        if self._caught_up.is_set():
            losses = self._losses.sentence()
            return True, f"ready, {losses}" if losses else "ready"
        paused = next((s.unwritable for s in (self._catalog, *self._partitions) if s and s.unwritable), "")
        return False, f"catching up with the log: {self._applied()} records applied{paused and f'; {paused}'}"

    async def close(self) -> None:
        """Stop building, make the state durable, release everything. Raises StateDamagedError, found meanwhile."""
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.log.close)
            if self._catalog is not None:
                closing.push_async_callback(self._catalog.close)
            for service in self._partitions:
                closing.push_async_callback(service.close)
            await self.builder.close()
