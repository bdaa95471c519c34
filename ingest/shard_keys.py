"""Which shards a request means by the shard keys that it names, or doesn't."""

from dataclasses import replace

from ingest.ports import CollectionEntry
from schemas.config import CUSTOM_SHARDING
from schemas.errors import BadInputError
from schemas.rest.shard_keys import ShardKey, ShardKeySelector, ShardKeyWithFallback, shown


def written(entry: CollectionEntry, selector: ShardKeySelector | None) -> tuple[CollectionEntry, ...]:
    """What a write goes to: the collection, or each of the keys it names. Raises BadInputError."""
    if selector is None:
        if entry.config.sharding_method == CUSTOM_SHARDING:
            raise BadInputError("Wrong input: Shard key not specified")
        return (entry,)
    found = _found(entry, selector, "Wrong input")
    if not found:
        raise BadInputError("Wrong input: Empty shard keys selection")
    return found


def read(entry: CollectionEntry, selector: ShardKeySelector | None) -> CollectionEntry:
    """The collection as a read is to see it: with the keys that it names only. Raises BadInputError."""
    if selector is None:
        return entry
    return replace(entry, keys=_found(entry, selector, "Bad request"), shard_map=())


def _found(entry: CollectionEntry, selector: ShardKeySelector, kind: str) -> tuple[CollectionEntry, ...]:
    by_key = {part.key: part for part in entry.keys}
    if isinstance(selector, ShardKeyWithFallback):
        falls_back = selector.target not in by_key and selector.fallback in by_key
        selector = selector.fallback if falls_back else selector.target
    keys: list[ShardKey] = selector if isinstance(selector, list) else [selector]
    for key in keys:
        if key not in by_key:
            raise BadInputError(f"{kind}: Shard key {shown(key)} not found")
    return tuple(by_key[key] for key in dict.fromkeys(keys))
