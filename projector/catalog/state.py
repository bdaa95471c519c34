"""The catalog's state in memory: an immutable value that each record replaces."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from schemas.config import CollectionConfig, is_hidden, shard_key_name
from schemas.rest.shard_keys import ShardKey

MarkerOffset = tuple[int, int]
"""(partition, offset) of a marker on the log."""


class CollectionMeta(msgspec.Struct, frozen=True):
    """One collection. ``shard_map``: shard number -> points partition.

    The shards of a shard key are kept as a collection of their own, hidden: ``key`` is not None then, and ``first`` is
    the number that its first shard has among all of the collection's.
    """

    uid: int
    name: str
    config: CollectionConfig
    shard_map: list[int]
    key: ShardKey | None = None
    first: int = 0


@dataclass(frozen=True, slots=True)
class CatalogState:
    """``seq`` is the last marker sequence number given out; numbers are dense from 1."""

    collections: Mapping[str, CollectionMeta] = field(default_factory=dict[str, CollectionMeta])
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    seq: int = 0

    def resolve(self, name: str) -> CollectionMeta | None:
        """The collection that ``name``, a collection's name or an alias, stands for."""
        found = None if is_hidden(name) else self.collections.get(name)
        return found or self.collections.get(self.aliases.get(name, ""))

    def family(self, name: str) -> list[CollectionMeta]:
        """The collection that is kept under ``name``, and its shard keys in the order of their shards; [] for none."""
        meta = self.collections.get(name)
        if meta is None:
            return []
        prefix = shard_key_name(name, "")[:-2]
        keys = [m for n, m in self.collections.items() if m.key is not None and n.startswith(prefix)]
        return [meta, *sorted(keys, key=lambda m: m.first)]
