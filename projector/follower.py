"""PartitionFollower: the views of one partition's shards, kept current by the feed's frames."""

from projector.frames import Changes, Closed, Event, Frame, Opened, Reconfigured, ShardId
from projector.view.live_shard import LiveShard
from projector.waiters import Waiters
from schemas.ids import ids_from_wire


class PartitionFollower:
    """Applies frames to live shards and advances the visible offset with final ones. Runs on one event loop."""

    def __init__(self, partition: int, shards: dict[ShardId, LiveShard], visible: int) -> None:
        self.partition = partition
        self.shards = shards
        self.waiters = Waiters(visible)
        self._touched: set[ShardId] = set()

    @property
    def visible(self) -> int:
        """The visible offset: every view stands at it."""
        return self.waiters.visible

    def on_frame(self, frame: Frame) -> None:
        """Take in one frame. Readers see nothing of a record before its final frame."""
        for event in frame.events:
            self._on_event(event, frame.offset)
        if not frame.final:
            return
        for shard in self._touched:
            if shard in self.shards:
                self.shards[shard].publish(frame.offset)
        self._touched.clear()
        self.waiters.advance(frame.offset, frame.outcomes)

    def _on_event(self, event: Event, offset: int) -> None:
        shard = event.shard
        if isinstance(event, Opened):
            self.shards[shard] = LiveShard(shard, event.config, [], offset)
        elif isinstance(event, Closed):
            self.shards.pop(shard, None)
        elif isinstance(event, Changes):
            self.shards[shard].apply(ids_from_wire(event.ids), event.points, offset)
            self._touched.add(shard)
        elif isinstance(event, Reconfigured):
            self.shards[shard].reconfigure(event.config, offset)
            self._touched.add(shard)
