"""PartitionFeedFollower: the views of one partition's shards in a process that only reads."""

from collections.abc import Mapping

from projector.folders import StateFolder
from projector.frames import ShardId
from projector.view.live_shard import LiveShard
from projector.waiters import Waiters


class PartitionFeedFollower:
    """Loads segments and follows the feed. Runs on one event loop.

    ``waiters`` are those of the visible offset; it never goes back, and while the follower has to load anew, views,
    visible offset and waiters stay as they are.
    """

    partition: int
    waiters: Waiters

    def __init__(self, folder: StateFolder, partition: int, identity: str) -> None:
        """``folder`` need not hold anything yet. ``identity`` is the log's. Raises OSError."""
        raise NotImplementedError

    @property
    def shards(self) -> Mapping[ShardId, LiveShard]:
        """The shards at home here; another mapping after each load, so don't keep it."""
        raise NotImplementedError

    @property
    def visible(self) -> int:
        """The visible offset: every view stands at it. -1 before the first load."""
        raise NotImplementedError

    async def loaded(self) -> None:
        """Return once the views stand where the feed ended when it was first read."""
        raise NotImplementedError

    async def run(self) -> None:
        """Follow the feed for ever; ``close`` after it was cancelled."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the feed. The views stay."""
        raise NotImplementedError
