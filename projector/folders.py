"""Where things are in a state folder."""

from pathlib import Path

from projector.frames import ShardId


class StateFolder:
    """Where things are in a state folder; ``replay`` writes one like it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.catalog = root / "catalog"
        self.catalog_feed = root / "catalog-feed"
        self.catalog_pause_note = root / "catalog-paused"
        """Where the catalog's projector says why it has paused."""

    def partition(self, partition: int) -> Path:
        """One partition's folder."""
        return self.root / f"points-{partition:05d}"

    def rocksdb(self, partition: int) -> Path:
        """One partition's RocksDB."""
        return self.partition(partition) / "rocksdb"

    def feed(self, partition: int) -> Path:
        """One partition's feed."""
        return self.partition(partition) / "feed"

    def pause_note(self, partition: int) -> Path:
        """Where its projector says why it has paused."""
        return self.partition(partition) / "paused"

    def shards(self, partition: int) -> Path:
        """The folders of one partition's shards."""
        return self.partition(partition) / "shards"

    def shard(self, partition: int, shard: ShardId) -> Path:
        """One shard's segments and manifest."""
        return self.shards(partition) / f"{shard.uid:016x}-{shard.shard}"
