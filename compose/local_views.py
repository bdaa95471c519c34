"""LocalViews: the views that live in this process, for reading and for waiting."""

from collections.abc import Awaitable, Callable, Sequence

from ingest.deadline import Deadline
from ingest.log import Topic
from ingest.ports import CollectionEntry
from projector.catalog.follower import CatalogFollower
from projector.frames import ShardId
from projector.segments.meta import unfit_reason
from projector.segments.optimizer import Optimizer
from projector.view.follower import PartitionFollower
from projector.view.indexed import indexed_vectors
from projector.view.shard_view import ShardView
from projector.waiters import Waiters, not_visible
from query_api.builds import build_of
from query_api.local import LocalShard
from query_api.ports import CollectionCounts, CollectionStatus, ShardBuild
from schemas.errors import InsufficientStorageError, NotFoundError, TimedOutError
from schemas.operations import Outcome


class LocalViews:
    """Implements ``ingest.ports.Visibility`` and ``query_api.ports.Readers`` over followers of this process."""

    def __init__(self, catalog: CatalogFollower, optimizer: Optimizer, queued: Callable[[int], Awaitable[int]]) -> None:
        """``queued`` gives how many records of a partition are on the log but not applied."""
        self._catalog = catalog
        self._optimizer = optimizer
        self._queued = queued
        self._followers: list[PartitionFollower] = []

    def add(self, follower: PartitionFollower) -> None:
        """Read the next partition through ``follower``."""
        self._followers.append(follower)

    def _waiters(self, topic: Topic, partition: int) -> Waiters:
        return self._catalog.waiters if topic is Topic.CATALOG else self._followers[partition].waiters

    def check_applied(self, topic: Topic, partition: int) -> None:
        """Raise InsufficientStorageError while the disk doesn't take what would be applied."""
        reason = self._waiters(topic, partition).stalled
        if reason is not None:
            raise InsufficientStorageError(f"Nothing was written: {reason}")

    async def wait(self, topic: Topic, partition: int, offset: int, deadline: Deadline) -> Sequence[Outcome]:
        """Wait until the record at ``offset``, and the markers it caused, are visible.

        Raises TimedOutError, InsufficientStorageError.
        """
        return await self._wait(topic, partition, offset, deadline, give_up=True)

    async def _wait(
        self, topic: Topic, partition: int, offset: int, deadline: Deadline, *, give_up: bool
    ) -> Sequence[Outcome]:
        waiters = self._waiters(topic, partition)
        try:
            outcomes = await waiters.wait(offset, deadline.left(), give_up=give_up)
            if topic is Topic.CATALOG:
                for number, marker in self._catalog.markers_of(offset):
                    await self._waiters(Topic.POINTS, number).wait(marker, deadline.left(), give_up=give_up)
        except TimedOutError:
            raise not_visible(offset, deadline.seconds) from None
        return outcomes

    async def reach(self, topic: Topic, partition: int, offset: int, deadline: Deadline) -> None:
        """Wait until the record at ``offset`` is visible: here all readers are these. Raises TimedOutError."""
        await self._wait(topic, partition, offset, deadline, give_up=False)

    def views(self, entry: CollectionEntry) -> list[ShardView]:
        """The current view of every shard of a collection. Raises NotFoundError when it is gone."""
        found: list[ShardView] = []
        for part in entry.parts:
            for shard, partition in enumerate(part.shard_map):
                live = self._followers[partition].shards.get(ShardId(part.uid, shard))
                if live is None:
                    raise NotFoundError(f"Not found: Collection `{entry.name}` doesn't exist!")
                found.append(live.view)
        return found

    def shards(self, entry: CollectionEntry) -> list[LocalShard]:
        """Every shard of a collection as it is now. Raises as ``views``."""
        return list(map(LocalShard, self.views(entry)))

    async def counts(self, entry: CollectionEntry) -> CollectionCounts:
        """A collection in numbers. Raises NotFoundError when it is gone."""
        views = self.views(entry)
        up_to_date = all(self._optimizer.up_to_date(view.shard) for view in views)
        vectors = [v for view in views for part in view.segments for v in part.segment.meta.vectors]
        return CollectionCounts(
            points=sum(view.count for view in views),
            indexed_vectors=sum(map(indexed_vectors, views)),
            segments=sum(len(view.parts) for view in views),
            optimizer_error=next((e for v in views if (e := self._optimizer.error(v.shard)) is not None), None)
            or unfit_reason(vectors),
            status=CollectionStatus.GREEN if up_to_date else CollectionStatus.YELLOW,
            queued=sum([await self._queued(partition) for partition in entry.partitions]),
        )

    def builds(self, entry: CollectionEntry) -> list[ShardBuild]:
        """How far the segments of every shard are. Raises as ``views``."""
        about = self._optimizer
        return [
            build_of(view, up_to_date=about.up_to_date(view.shard), progress=about.progress(view.shard))
            for view in self.views(entry)
        ]

    def visible(self, topic: Topic, partition: int) -> int:
        """The offset up to which reads show everything."""
        return self._waiters(topic, partition).visible

    async def applied_lag(self, topic: Topic, partition: int) -> int | None:
        """How many records are not applied yet; the catalog's are applied as they become visible."""
        return None if topic is Topic.CATALOG else max(0, await self._queued(partition))
