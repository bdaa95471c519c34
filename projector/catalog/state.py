"""The catalog's state in memory: an immutable value that each record replaces."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from schemas.config import CollectionConfig, is_staged

MarkerOffset = tuple[int, int]
"""(partition, offset) of a marker on the log."""


class CollectionMeta(msgspec.Struct, frozen=True):
    """One collection. ``shard_map``: shard number -> points partition."""

    uid: int
    name: str
    config: CollectionConfig
    shard_map: list[int]


@dataclass(frozen=True, slots=True)
class CatalogState:
    """``seq`` is the last marker sequence number given out; numbers are dense from 1."""

    collections: Mapping[str, CollectionMeta] = field(default_factory=dict[str, CollectionMeta])
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    seq: int = 0

    def resolve(self, name: str) -> CollectionMeta | None:
        """The collection that ``name``, a collection's name or an alias, stands for."""
        found = None if is_staged(name) else self.collections.get(name)
        return found or self.collections.get(self.aliases.get(name, ""))
