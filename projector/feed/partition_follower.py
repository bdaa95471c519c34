"""PartitionFeedFollower: the views of one partition's shards in a process that only reads."""

import asyncio
from collections.abc import Mapping, Sequence

from projector.feed.adopter import ManifestAdopter
from projector.feed.errors import FeedBrokenError
from projector.feed.format import FeedKind, FeedSource
from projector.feed.loading import PartitionLoad
from projector.feed.messages import decode_frame, decode_points_checkpoint
from projector.feed.pause_note import look_for_pause
from projector.feed.reader import READ_BYTES, FeedReader
from projector.feed.reloading import Reloading
from projector.feed.shard_loader import ShardLoader
from projector.folders import StateFolder
from projector.frames import Frame, Resealed, ShardId
from projector.view.live_shard import LiveShard
from projector.view.partition_shards import PartitionShards
from projector.waiters import Waiters


class PartitionFeedFollower:
    """Loads segments and follows the feed. Runs on one event loop.

    ``waiters`` are those of the visible offset; it never goes back, and while the follower has to load anew, views,
    visible offset and waiters stay as they are.
    """

    def __init__(self, folder: StateFolder, partition: int, identity: str, *, read_bytes: int = READ_BYTES) -> None:
        """``folder`` need not exist yet. ``identity`` is the log's."""
        self.partition = partition
        self.waiters = Waiters(-1)
        self._folder = folder
        self._note = folder.pause_note(partition)
        source = FeedSource(FeedKind.POINTS, partition, identity)
        self._reader = FeedReader(folder.feed(partition), source, read_bytes=read_bytes)
        self._reloading = Reloading(self._reader, "loading segments and feed anew", partition=partition)
        self._loader = ShardLoader()
        self._staged = PartitionShards({})
        self._adopter = ManifestAdopter(
            lambda shard: folder.shard(partition, shard), self._loader, lambda: self.shards, self.waiters
        )
        self._loaded = asyncio.Event()

    def look_for_pause(self) -> None:
        """See whether the projector has paused, and tell who waits for what it would apply."""
        look_for_pause(self._note, self.waiters)

    @property
    def trouble(self) -> str:
        """Why it could not be loaded the last time; empty when it could, or when there is no feed yet."""
        return self._reloading.trouble

    @property
    def shards(self) -> Mapping[ShardId, LiveShard]:
        """The shards at home here; another mapping after each load, so don't keep it."""
        return self._staged.shards

    @property
    def visible(self) -> int:
        """The visible offset: every view shows its shard as it was then. -1 before the first load."""
        return self.waiters.visible

    async def loaded(self) -> None:
        """Return once the views stand where the feed ended when it was first read."""
        await self._loaded.wait()

    async def run(self) -> None:
        """Follow the feed for ever; ``close`` after it was cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._adopter.run())
            await self._reloading.run(self._load, self._follow)

    def close(self) -> None:
        """Let go of the feed. The views stay."""
        self._reader.close()

    async def _load(self) -> None:
        checkpoint = decode_points_checkpoint(self._reader.open())
        load = PartitionLoad(self._folder, self.partition, self._loader)
        await load.begin(checkpoint, begins_generation=self._reader.begins_generation)
        async for payloads in self._reader.to_end():
            load.take_all(payloads)
        while (offset := load.offset(self.visible)) is None:
            load.take_all(await self._reader.some())
        if load.missing:
            raise FeedBrokenError("; ".join(load.missing.values()))
        load.staged.publish_all(offset)
        self._staged = load.staged
        for shard, manifest in load.manifests.items():
            if shard in load.staged.shards:
                self._adopter.loaded(load.staged.shards[shard], manifest)
        for shard in load.resealed:
            self._adopter.note(shard)
        self.waiters.missed(self.visible, checkpoint.outcomes_after)
        for of_record in load.outcomes:
            self.waiters.remember(*of_record)
        self.waiters.advance(offset)
        self._loaded.set()

    async def _follow(self) -> None:
        while True:
            self._take([decode_frame(payload) for payload in await self._reader.next()])

    def _take(self, frames: Sequence[Frame]) -> None:
        """Show what is complete in one go; a record that isn't stays staged."""
        complete = next((i for i in range(len(frames), 0, -1) if frames[i - 1].final), 0)
        for frame in frames[:complete]:
            self._stage(frame)
        if complete:
            offset = frames[complete - 1].offset
            self._staged.publish(offset)
            self.waiters.advance(offset)
        for frame in frames[complete:]:
            self._stage(frame)

    def _stage(self, frame: Frame) -> None:
        self._staged.stage(frame)
        if frame.outcomes:
            self.waiters.remember(frame.offset, frame.outcomes)
        for event in frame.events:
            if isinstance(event, Resealed):
                self._adopter.note(event.shard)
