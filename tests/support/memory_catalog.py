"""A catalog in memory, for tests of what stands behind its port."""

from collections.abc import Mapping, Sequence

from ingest.ports import CollectionEntry
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.errors import NotFoundError


class MemoryCatalog:
    """Implements ``ingest.ports.Catalog``. What is put into it is seen by readers after ``catch_up``."""

    def __init__(self) -> None:
        self._entries: dict[str, CollectionEntry] = {}
        self._aliases: dict[str, str] = {}
        self._seen: dict[str, CollectionEntry] = {}
        self._seen_aliases: dict[str, str] = {}

    def create(self, name: str, uid: int, shard_map: Sequence[int], dim: int = 1) -> CollectionEntry:
        config = CollectionConfig({"": VectorParams(dim, Distance.DOT)}, shard_number=len(shard_map))
        entry = CollectionEntry(uid, name, config, tuple(shard_map))
        self._entries[name] = entry
        return entry

    def drop(self, name: str) -> None:
        del self._entries[name]

    def alias(self, alias: str, name: str) -> None:
        self._aliases[alias] = name

    async def catch_up(self) -> None:
        """What a router waits for."""
        self._seen, self._seen_aliases = dict(self._entries), dict(self._aliases)

    def resolve(self, name: str) -> CollectionEntry:
        entry = self._seen.get(name) or self._seen.get(self._seen_aliases.get(name, ""))
        if entry is None:
            raise NotFoundError(f"Not found: Collection `{name}` doesn't exist!")
        return entry

    def staged(self, name: str) -> CollectionEntry | None:
        return None

    def collections(self) -> Sequence[CollectionEntry]:
        return list(self._seen.values())

    def aliases(self) -> Mapping[str, str]:
        return self._seen_aliases
