"""How much the collections hold, from what readers see."""

from ingest.ports import CollectionEntry, StoredSize
from query_api.ports import Readers


class ShardSizes:
    """Implements ``ingest.ports.Sizes``."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def size_of(self, entry: CollectionEntry) -> StoredSize:
        """All shards together."""
        sizes = [shard.size() for shard in self._readers.shards(entry)]
        return StoredSize(
            sum(size.points for size in sizes),
            sum(size.vector_bytes for size in sizes),
            sum(size.payload_bytes for size in sizes),
        )
