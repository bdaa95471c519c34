"""PartitionLoad: from segments and a feed's file to live shards that stand at one offset."""

import asyncio
from collections.abc import Sequence

from projector.feed.messages import OpenShard, PointsCheckpoint, decode_frame
from projector.feed.shard_loader import LoadedShard, ShardLoader
from projector.folders import StateFolder
from projector.frames import Changes, Closed, Event, Frame, Resealed, ShardId
from projector.segments.errors import ManifestDamagedError, SegmentDamagedError
from projector.segments.manifest import Manifest
from projector.view.live_shard import LiveShard
from projector.view.partition_shards import PartitionShards
from schemas.operations import Outcome

_SHARDS_AT_ONCE = 32


class PartitionLoad:
    """One attempt. Nothing of it is visible before it stands where a reader may look at it.

    A shard whose segments can't be had is left out: it may have been closed later in the feed, and its folder deleted.
    """

    def __init__(self, folder: StateFolder, partition: int, loader: ShardLoader) -> None:
        self._folder = folder
        self._partition = partition
        self._loader = loader
        self._offset: int | None = None
        self._in_record = False
        self._usable_from = -1
        self.staged = PartitionShards({})
        self.manifests: dict[ShardId, Manifest] = {}
        """What the shards' segments are from."""
        self.resealed: dict[ShardId, None] = {}
        """Shards that may have got another manifest."""
        self.missing: dict[ShardId, str] = {}
        """Shards that were left out, and why."""
        self.outcomes: list[tuple[int, Sequence[Outcome]]] = []
        """(offset, outcomes) of the records that were met, where one was rejected."""

    async def begin(self, checkpoint: PointsCheckpoint, *, begins_generation: bool) -> None:
        """Load the segments of the shards that a file begins with. A generation's first file stands nowhere yet."""
        if not begins_generation:
            self._offset = checkpoint.offset
        self.outcomes += checkpoint.outcomes
        for start in range(0, len(checkpoint.shards), _SHARDS_AT_ONCE):
            some = checkpoint.shards[start : start + _SHARDS_AT_ONCE]
            for shard, loaded in zip(some, await asyncio.to_thread(self._load, some), strict=True):
                self._add(shard, loaded)

    def take_all(self, payloads: Sequence[memoryview]) -> None:
        """Take in the next frames, as they stand in the feed."""
        for payload in payloads:
            self._take(decode_frame(payload))

    def _take(self, frame: Frame) -> None:
        events = [event for event in frame.events if self._concerns(event, frame.offset)]
        self.staged.stage(Frame(frame.offset, events))
        if frame.outcomes:
            self.outcomes.append((frame.offset, frame.outcomes))
        if frame.final:
            self._offset = frame.offset
            self._in_record = False
        elif not frame.is_notice:
            self._in_record = True

    def offset(self, lowest: int) -> int | None:
        """The offset at which all shards can be shown now; None when there is none, or it is below ``lowest``.

        The segments may be ahead of the frames that were read.
        """
        if self._offset is None or self._in_record or self._offset < max(lowest, self._usable_from):
            return None
        return self._offset

    def _load(self, shards: Sequence[OpenShard]) -> list[LoadedShard | str]:
        return [self._load_one(entry) for entry in shards]

    def _load_one(self, entry: OpenShard) -> LoadedShard | str:
        folder = self._folder.shard(self._partition, entry.shard)
        try:
            loaded = self._loader.load(folder)
        except (ManifestDamagedError, SegmentDamagedError) as error:
            return error.message
        if loaded.manifest.offset < entry.needs:
            return f"{folder}: stands at offset {loaded.manifest.offset}, the feed goes on from {entry.needs}"
        return loaded

    def _add(self, entry: OpenShard, loaded: LoadedShard | str) -> None:
        shard = entry.shard
        if isinstance(loaded, str):
            self.missing[shard] = loaded
            return
        self.staged.shards[shard] = LiveShard(shard, entry.config, loaded.segments, loaded.manifest.offset)
        self.manifests[shard] = loaded.manifest
        self._usable_from = max(self._usable_from, loaded.usable_from)

    def _concerns(self, event: Event, offset: int) -> bool:
        shard = event.shard
        if shard in self.missing:
            if isinstance(event, Closed):
                del self.missing[shard]
            return False
        if isinstance(event, Resealed):
            self.resealed[shard] = None
            return False
        return not isinstance(event, Changes) or shard not in self.manifests or offset > self.manifests[shard].offset
