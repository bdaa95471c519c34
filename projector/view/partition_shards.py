"""PartitionShards: the live shards of one partition, and what is staged in them."""

from projector.frames import Changes, Closed, Event, Frame, Opened, Reconfigured, ShardId
from projector.view.live_shard import LiveShard
from schemas.ids import ids_from_wire


class PartitionShards:
    """Frames are staged and become visible together. Runs on one event loop."""

    def __init__(self, shards: dict[ShardId, LiveShard]) -> None:
        self.shards = shards
        self._touched: set[ShardId] = set()

    def stage(self, frame: Frame) -> None:
        """Take in one frame. A shard that it opens or closes is there or gone at once."""
        for event in frame.events:
            self._stage(event, frame.offset)

    def publish(self, offset: int) -> None:
        """Make everything staged visible at ``offset``, the last final frame's."""
        for shard in self._touched:
            if shard in self.shards:
                self.shards[shard].publish(offset)
        self._touched.clear()

    def publish_all(self, offset: int) -> None:
        """``publish``, for every shard, so that all views stand at ``offset``."""
        self._touched.update(self.shards)
        self.publish(offset)

    def _stage(self, event: Event, offset: int) -> None:
        shard = event.shard
        if isinstance(event, Changes):
            self.shards[shard].apply(ids_from_wire(event.ids), event.points, offset)
            self._touched.add(shard)
        elif isinstance(event, Opened):
            self.shards[shard] = LiveShard(shard, event.config, [], offset)
        elif isinstance(event, Closed):
            self.shards.pop(shard, None)
        elif isinstance(event, Reconfigured):
            self.shards[shard].reconfigure(event.config, offset)
            self._touched.add(shard)
