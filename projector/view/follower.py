"""PartitionFollower: the views of one partition's shards, kept current by the runner's frames in the same process."""

from projector.frames import Frame, ShardId
from projector.view.live_shard import LiveShard
from projector.view.partition_shards import PartitionShards
from projector.waiters import Waiters


class PartitionFollower:
    """Applies frames to live shards and advances the visible offset with final ones. Runs on one event loop."""

    def __init__(self, partition: int, shards: dict[ShardId, LiveShard], visible: int) -> None:
        self.partition = partition
        self.shards = shards
        self.waiters = Waiters(visible)
        self._staged = PartitionShards(shards)

    @property
    def visible(self) -> int:
        """The visible offset: every view shows its shard as it was then."""
        return self.waiters.visible

    def on_frame(self, frame: Frame) -> None:
        """Take in one frame. Readers see nothing of a record before its final frame."""
        self._staged.stage(frame)
        if frame.outcomes:
            self.waiters.remember(frame.offset, frame.outcomes)
        if frame.final:
            self._staged.publish(frame.offset)
            self.waiters.advance(frame.offset)
