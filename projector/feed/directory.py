"""ShardDirectory: which shards a points feed is about, and which offset a reader's segments of each must reach."""

from dataclasses import dataclass

from projector.feed.messages import OpenShard
from projector.frames import Changes, Closed, Event, Frame, Opened, Reconfigured, ShardId
from schemas.config import CollectionConfig


@dataclass(slots=True)
class _Entry:
    name: str
    config: CollectionConfig
    shard_map: list[int]
    changed_at: int
    """The highest offset with a change that may be missing in a manifest."""
    sealed: int
    """The manifest's offset."""


class ShardDirectory:
    """Kept current by the frames that go into the feed."""

    def __init__(self) -> None:
        self._shards: dict[ShardId, _Entry] = {}

    def __contains__(self, shard: ShardId) -> bool:
        return shard in self._shards

    def add(self, shard: ShardId, name: str, config: CollectionConfig, shard_map: list[int], sealed: int) -> None:
        """A shard whose manifest stands at ``sealed``; -1 when it has none."""
        self._shards[shard] = _Entry(name, config, shard_map, sealed, sealed)

    def take(self, frame: Frame) -> None:
        """``frame`` goes into the feed."""
        for event in frame.events:
            self._take(event, frame.offset)

    def sealed(self, shard: ShardId, offset: int) -> None:
        """The shard's manifest stands at ``offset``."""
        self._shards[shard].sealed = offset

    def open_shards(self) -> list[OpenShard]:
        """What a checkpoint says of them."""
        return [OpenShard(s, e.name, e.config, e.shard_map, e.changed_at) for s, e in self._shards.items()]

    def unsealed(self) -> dict[ShardId, int]:
        """The offset that a reader's segments must reach, for shards whose manifest has not reached it."""
        return {shard: entry.changed_at for shard, entry in self._shards.items() if entry.sealed < entry.changed_at}

    def _take(self, event: Event, offset: int) -> None:
        if isinstance(event, Changes):
            self._shards[event.shard].changed_at = offset
        elif isinstance(event, Opened):
            self.add(event.shard, event.name, event.config, event.shard_map, -1)
        elif isinstance(event, Closed):
            self._shards.pop(event.shard, None)
        elif isinstance(event, Reconfigured):
            self._shards[event.shard].config = event.config
