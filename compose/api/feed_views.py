"""FeedViews: the views that a worker of an api keeps by following feeds, for reading and for waiting."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from compose.api.feeds import CatalogFeed, PartitionFeed
from compose.api.log_ends import LogEnds
from compose.api.membership import Membership
from compose.api.peer_waits import PeerWaits
from compose.api.visibility_table import Column, column_of, partition_of
from ingest.deadline import Deadline
from ingest.log import Log, Topic
from ingest.ports import CollectionEntry
from projector.frames import ShardId
from projector.segments.meta import unfit_reason
from projector.segments.policy import SegmentFacts, TailFacts, is_up_to_date
from projector.segments.reader import Segment
from projector.segments.shard_work import is_stale
from projector.view.indexed import indexed_vectors
from projector.view.shard_view import ShardView
from projector.waiters import Waiters, not_visible
from query_api.builds import build_of
from query_api.local import LocalShard
from query_api.ports import CollectionCounts, CollectionStatus, ShardBuild
from schemas.errors import TimedOutError, UnavailableError
from schemas.operations import Outcome


class FeedViews:
    """Implements ``ingest.ports.Visibility`` for all workers of an api, and ``query_api.ports.Readers`` for one."""

    def __init__(
        self, log: Log, catalog: CatalogFeed, membership: Membership, follow: Callable[[int], PartitionFeed]
    ) -> None:
        """``follow`` begins to follow a partition that nobody has asked for yet."""
        self._catalog = catalog
        self._membership = membership
        self._follow = follow
        self._ends = LogEnds(log)
        self._peers = PeerWaits(membership)
        self._feeds: dict[int, PartitionFeed] = {}
        self._loaded: set[int] = set()
        self._publish(Topic.CATALOG, 0, catalog.waiters)

    def add(self, partition: int) -> PartitionFeed:
        """Follow ``partition`` from now on, once. Raises TooManyPartitionsError, OSError."""
        feed = self._feeds.get(partition)
        if feed is None:
            column_of(Topic.POINTS, partition)
            feed = self._feeds[partition] = self._follow(partition)
            self._publish(Topic.POINTS, partition, feed.waiters)
        return feed

    def loaded(self, partition: int) -> None:
        """The views of ``partition`` are there."""
        self._loaded.add(partition)

    def _publish(self, topic: Topic, partition: int, waiters: Waiters) -> None:
        publish = partial(self._membership.publish, column_of(topic, partition))
        publish(waiters.visible)
        waiters.on_advance = publish

    def check_applied(self, topic: Topic, partition: int) -> None:
        """Whether the projector can apply what is written, isn't known here."""

    async def wait(self, topic: Topic, partition: int, offset: int, deadline: Deadline) -> Sequence[Outcome]:
        """Wait until the record at ``offset``, and the markers it caused, are visible in every worker of the api.

        Raises TimedOutError, and InsufficientStorageError while the projector has paused as its disk takes no writes.
        """
        feed = self._catalog if topic is Topic.CATALOG else self.add(partition)
        if feed.waiters.stalled is not None:
            feed.look_for_pause()
        try:
            outcomes = await self.waiters(topic, partition).wait(offset, deadline.left(), give_up=True)
            await self._peers.wait(column_of(topic, partition), offset, deadline.left())
            if topic is Topic.CATALOG:
                for number, marker in self._catalog.markers_of(offset):
                    await self.waiters(Topic.POINTS, number).wait(marker, deadline.left(), give_up=True)
                    await self._peers.wait(column_of(Topic.POINTS, number), marker, deadline.left())
        except TimedOutError:
            raise not_visible(offset, deadline.seconds) from None
        return outcomes

    async def reach(self, topic: Topic, partition: int, offset: int, deadline: Deadline) -> None:
        """Wait until the record at ``offset``, and the markers it caused, are visible here. Raises TimedOutError."""
        await self.waiters(topic, partition).wait(offset, deadline.left())
        if topic is Topic.CATALOG:
            for number, marker in self._catalog.markers_of(offset):
                await self.waiters(Topic.POINTS, number).wait(marker, deadline.left())

    async def reach_column(self, column: Column, offset: int) -> None:
        """Wait until this worker shows ``offset`` in a column of the table, however long that takes."""
        await self.waiters(*partition_of(column)).wait(offset, None)

    def waiters(self, topic: Topic, partition: int) -> Waiters:
        """Who waits here for offsets of one partition."""
        return self._catalog.waiters if topic is Topic.CATALOG else self.add(partition).waiters

    def views(self, entry: CollectionEntry) -> list[ShardView]:
        """The current view of every shard of a collection. Raises UnavailableError."""
        parts = entry.parts
        return [self._view(part, shard, at) for part in parts for shard, at in enumerate(part.shard_map)]

    def _view(self, entry: CollectionEntry, number: int, partition: int) -> ShardView:
        live = self.add(partition).shards.get(ShardId(entry.uid, number))
        if live is not None:
            return live.view
        if partition not in self._loaded:
            raise UnavailableError(f"Not ready yet: partition {partition} is being loaded")
        # Each has a feed of its own, and one projector may be ahead of the other.
        raise UnavailableError(
            f"Not ready yet: collection `{entry.name}` is being created or dropped, and partition {partition} is not "
            "where the catalog is"
        )

    def segments(self) -> Iterator[Segment]:
        """All segments of all views."""
        for feed in self._feeds.values():
            for live in feed.shards.values():
                yield from (part.segment for part in live.view.segments)

    def shards(self, entry: CollectionEntry) -> list[LocalShard]:
        """Every shard of a collection as it is now. Raises as ``views``."""
        return list(map(LocalShard, self.views(entry)))

    async def counts(self, entry: CollectionEntry) -> CollectionCounts:
        """A collection in numbers. Raises as ``views``."""
        views = self.views(entry)
        vectors = [v for view in views for part in view.segments for v in part.segment.meta.vectors]
        damage = next((part.segment.damage for view in views for part in view.segments if part.segment.damage), None)
        queued = [await self._ends.queued(p, self.add(p).waiters.visible) for p in entry.partitions]
        return CollectionCounts(
            points=sum(view.count for view in views),
            indexed_vectors=sum(map(indexed_vectors, views)),
            segments=sum(len(view.parts) for view in views),
            status=CollectionStatus.GREEN
            if damage is None and all(map(_up_to_date, views))
            else CollectionStatus.YELLOW,
            optimizer_error=damage or unfit_reason(vectors),
            queued=sum(queued),
        )

    def visible(self, topic: Topic, partition: int) -> int:
        """The offset up to which reads of this worker show everything."""
        return self.waiters(topic, partition).visible

    async def applied_lag(self, topic: Topic, partition: int) -> int | None:
        """None: projectors apply what is on the log."""
        return None

    def builds(self, entry: CollectionEntry) -> list[ShardBuild]:
        """How far the segments of every shard are, as far as they tell. Raises as ``views``."""
        return [build_of(view, up_to_date=_up_to_date(view)) for view in self.views(entry)]


def _up_to_date(view: ShardView) -> bool:
    """Whether a shard has all graphs and columns that are asked for, as far as its segments tell."""
    facts = [
        SegmentFacts(
            part.segment.name,
            part.size,
            part.size - part.alive_count,
            part.segment.meta.indexed,
            is_stale(part.segment, view.config),
            bare=part.columns.lack(view.config.payload_indexes),
        )
        for part in view.segments
    ]
    return is_up_to_date(facts, TailFacts(rows=view.tail_rows), view.config)
