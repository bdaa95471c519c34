"""How a worker opens the partitions it is given: from the group's data folder, for readers in other processes."""

from collections.abc import Callable
from dataclasses import dataclass

from ingest.log import Log, Topic
from projector.catalog.store import CatalogStore
from projector.feed.catalog_feed import CatalogFeed
from projector.feed.partition_feed import PartitionFeed
from projector.folders import StateFolder
from projector.segments.builder import SegmentBuilder
from projector.segments.optimizer import Optimizer
from projector.segments.reader import Segment
from projector.snapshot.service import SnapshotService
from projector.state.store import PartitionState
from projector.worker.catalog_service import CatalogService
from projector.worker.catching_up import Partition
from projector.worker.following import FoldService
from projector.worker.known_losses import KnownLosses
from projector.worker.partition_runner import Reject
from projector.worker.partition_service import Feed, PartitionResources, PartitionService
from projector.worker.relay import OpenRelay
from projector.worker.retry import when_room, when_unlocked


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens catalog and points partitions.

    A state that another worker has not closed yet, and room on the disk, are waited for.
    """

    log: Log
    folder: StateFolder
    builder: SegmentBuilder
    optimizer: Optimizer
    snapshots: SnapshotService
    losses: KnownLosses
    open_relay: OpenRelay
    reject_catalog: Reject

    async def open(self, partition: Partition, marker_seq: Callable[[int], int]) -> FoldService:
        """Open a partition; ``marker_seq``: the last marker that a points partition has applied, 0 when unknown.

        Cancelling it leaves nothing open. Raises as the services do.
        """
        topic, number = partition
        return await when_room(lambda: self._open(topic, number, marker_seq), f"opening {topic}-{number}")

    async def _open(self, topic: Topic, number: int, marker_seq: Callable[[int], int]) -> FoldService:
        with self.snapshots.advising():
            if topic is Topic.CATALOG:
                return await self._open_catalog(marker_seq)
            return await PartitionService.open(self._resources(), number)

    def _resources(self) -> PartitionResources:
        return PartitionResources(
            self.log,
            self.folder,
            self.builder,
            self.optimizer,
            self._open_state,
            self.open_relay,
            self._open_feed,
            [self.snapshots, self.losses],
            make_ready=Segment.check_graphs,
        )

    async def _open_state(self, partition: int) -> PartitionState:
        folder, identity = self.folder.rocksdb(partition), self.log.identity
        return await when_unlocked(lambda: PartitionState.open(folder, identity), f"the state of points-{partition}")

    async def _open_feed(self, partition: int, state: PartitionState) -> Feed:
        return await PartitionFeed.open(self.folder, partition, self.log.identity, state)

    async def _open_catalog(self, marker_seq: Callable[[int], int]) -> CatalogService:
        feed = CatalogFeed(self.folder, self.log.identity)
        listeners = (self.snapshots, self.losses, feed)
        service = await CatalogService.open(
            self.log, self._open_store, feed.publish, self.reject_catalog, seen=marker_seq, listeners=listeners
        )
        try:
            await service.start()
            kv = service.store.kv
            kv.on_writable = feed.paused
            feed.paused(kv.unwritable)
        except BaseException:
            await service.close()
            raise
        return service

    async def _open_store(self) -> CatalogStore:
        folder, identity = self.folder.catalog, self.log.identity
        return await when_unlocked(lambda: CatalogStore.open(folder, identity), "the state of the catalog")
