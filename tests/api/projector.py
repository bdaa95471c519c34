"""A projector in this process: it folds what is on a log in memory, and the feeds that followers read from it."""

from collections.abc import Callable, Mapping, Sequence

from compose.api.feeds import CatalogFeed, PartitionFeed
from ingest.log import Topic
from projector.catalog.follower import CatalogFollower
from projector.catalog.state import CatalogState, MarkerOffset
from projector.frames import Frame, ShardId
from projector.view.follower import PartitionFollower
from projector.view.live_shard import LiveShard
from projector.waiters import Waiters
from schemas.operations import Outcome
from tests.api.forever import Gate, forever
from tests.rest.memory_node import MemoryNode

Step = Callable[[], None]


class Delivery:
    """Hands on what comes, in order, while its gate is open; keeps it while that is shut."""

    def __init__(self) -> None:
        self.gate = Gate(self._hand_on)
        self._kept: list[Step] = []

    def take(self, step: Step) -> None:
        self._kept.append(step)
        if self.gate.is_open:
            self._hand_on()

    def step(self) -> bool:
        """Hand on one thing; False when there is none."""
        if not self._kept:
            return False
        self._kept.pop(0)()
        return True

    def _hand_on(self) -> None:
        while self.step():
            pass


class MemoryPartitionFeed:
    """Implements PartitionFeed."""

    def __init__(self, partition: int) -> None:
        self.follower = PartitionFollower(partition, {}, -1)
        self.delivery = Delivery()
        self.trouble = ""
        self.closed = False

    @property
    def waiters(self) -> Waiters:
        return self.follower.waiters

    @property
    def shards(self) -> Mapping[ShardId, LiveShard]:
        return self.follower.shards

    async def run(self) -> None:
        await forever()

    async def loaded(self) -> None:
        await self.delivery.gate.wait()

    def look_for_pause(self) -> None:
        """Its disk is never full."""

    def close(self) -> None:
        self.closed = True

    def on_frame(self, frame: Frame) -> None:
        self.delivery.take(lambda: self.follower.on_frame(frame))


class MemoryCatalogFeed(CatalogFollower):
    """Implements CatalogFeed."""

    def __init__(self) -> None:
        super().__init__()
        self.delivery = Delivery()
        self.trouble = ""
        self.closed = False

    async def run(self) -> None:
        await forever()

    async def loaded(self) -> None:
        await self.delivery.gate.wait()

    def look_for_pause(self) -> None:
        """Its disk is never full."""

    def close(self) -> None:
        self.closed = True


class MemoryProjector(MemoryNode):
    """Folds at once, unless ``stalled``; gives any number of feeds, each of which begins with all there was.

    ``log.points_partitions`` may be set lower than ``partitions``, as the log knows them before it counts again.
    """

    def __init__(self, partitions: int = 1) -> None:
        super().__init__(partitions)
        self.partitions = partitions
        self._next: dict[tuple[Topic, int], int] = {}
        self.on_frame = self._keep_frame
        self.on_catalog = self._keep_catalog
        self._frames: dict[int, list[Frame]] = {}
        self._catalogs: list[tuple[int, CatalogState, Sequence[Outcome], Sequence[MarkerOffset]]] = []
        self._partition_feeds: dict[int, list[MemoryPartitionFeed]] = {}
        self._catalog_feeds: list[MemoryCatalogFeed] = []

    async def recount(self) -> None:
        """The log learns of the partitions that there are."""
        self.log.points_partitions = self.partitions

    def go_on(self) -> None:
        """Fold what came while it was ``stalled``."""
        self.stalled = False
        self._fold_new()

    def _on_append(self, topic: Topic, partition: int, offset: int, value: bytes) -> None:
        if not self.stalled:
            self._fold_new()

    def _fold_new(self) -> None:
        for (topic, partition), values in list(self.log.records.items()):
            while (offset := self._next.get((topic, partition), 0)) < len(values):
                self._next[topic, partition] = offset + 1
                super()._on_append(topic, partition, offset, values[offset])

    def follow_catalog(self) -> MemoryCatalogFeed:
        feed = MemoryCatalogFeed()
        self._catalog_feeds.append(feed)
        for published in self._catalogs:
            feed.publish(*published)
        return feed

    def follow(self, partition: int) -> MemoryPartitionFeed:
        feed = MemoryPartitionFeed(partition)
        self._partition_feeds.setdefault(partition, []).append(feed)
        for frame in self._frames.get(partition, []):
            feed.on_frame(frame)
        return feed

    def _keep_frame(self, partition: int, frame: Frame) -> None:
        self._frames.setdefault(partition, []).append(frame)
        for feed in self._partition_feeds.get(partition, []):
            feed.on_frame(frame)

    def _keep_catalog(
        self, offset: int, state: CatalogState, outcomes: Sequence[Outcome], markers: Sequence[MarkerOffset]
    ) -> None:
        self._catalogs.append((offset, state, outcomes, markers))
        for feed in self._catalog_feeds:
            feed.delivery.take(lambda feed=feed: feed.publish(offset, state, outcomes, markers))


class MemoryFeeds:
    """Implements Feeds for one worker."""

    def __init__(self, projector: MemoryProjector) -> None:
        self._projector = projector
        self.opened: dict[tuple[Topic, int], MemoryCatalogFeed | MemoryPartitionFeed] = {}

    def catalog(self) -> CatalogFeed:
        feed = self._projector.follow_catalog()
        self.opened[Topic.CATALOG, 0] = feed
        return feed

    def partition(self, partition: int) -> PartitionFeed:
        feed = self._projector.follow(partition)
        self.opened[Topic.POINTS, partition] = feed
        return feed

    def delivery(self, topic: Topic, partition: int = 0) -> Delivery:
        """What a feed's reader gets, and when."""
        return self.opened[topic, partition].delivery
