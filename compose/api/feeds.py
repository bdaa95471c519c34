"""What a worker of an api reads: the feeds of the catalog and of the partitions, followed without the state."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ingest.ports import Catalog
from projector.catalog.state import MarkerOffset
from projector.feed.catalog_follower import CatalogFeedFollower
from projector.feed.partition_follower import PartitionFeedFollower
from projector.folders import StateFolder
from projector.frames import ShardId
from projector.view.live_shard import LiveShard
from projector.waiters import Waiters


class Feed(Protocol):
    """A feed that is followed."""

    @property
    def waiters(self) -> Waiters:
        """Who waits for which offset; knows the visible one, -1 before anything is loaded."""
        ...

    @property
    def trouble(self) -> str:
        """Why it could not be loaded the last time; empty when it could, or when there is nothing to load yet."""
        ...

    async def run(self) -> None:
        """Follow the feed for ever, whatever becomes of those who write it; ``close`` after it was cancelled."""
        ...

    async def loaded(self) -> None:
        """Return once what the feed held when it was first read is visible."""
        ...

    def look_for_pause(self) -> None:
        """See whether the projector has paused, and tell who waits for what it would apply."""
        ...

    def close(self) -> None:
        """Let go of the feed."""
        ...


class PartitionFeed(Feed, Protocol):
    """One points partition."""

    @property
    def shards(self) -> Mapping[ShardId, LiveShard]:
        """The shards at home in this partition."""
        ...


class CatalogFeed(Feed, Catalog, Protocol):
    """The catalog."""

    def markers_of(self, offset: int) -> Sequence[MarkerOffset]:
        """The markers that the catalog record at ``offset`` caused, where they are on the log."""
        ...


class Feeds(Protocol):
    """The feeds of one state folder."""

    def catalog(self) -> CatalogFeed:
        """The catalog's, which need not exist yet."""
        ...

    def partition(self, partition: int) -> PartitionFeed:
        """One partition's, which need not exist yet."""
        ...


class FolderFeeds:
    """Implements Feeds: what projectors wrote in a state folder."""

    def __init__(self, folder: StateFolder, identity: str) -> None:
        """``identity`` is the log's: feeds of another log are not followed."""
        self._folder = folder
        self._identity = identity

    def catalog(self) -> CatalogFeed:
        """See Feeds. Raises OSError."""
        return CatalogFeedFollower(self._folder, self._identity)

    def partition(self, partition: int) -> PartitionFeed:
        """See Feeds. Raises OSError."""
        return PartitionFeedFollower(self._folder, partition, self._identity)
