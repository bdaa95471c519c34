"""Shard keys of collections with custom sharding.

The shards of a key are kept as a hidden collection of their own, with a uid of its own: a partition knows nothing of
keys, and whatever is right for a collection is right for a key.
"""

import msgspec

from projector.catalog.effects import CatalogEffects, assign, close_collections, open_shards
from projector.catalog.state import CatalogState, CollectionMeta
from schemas.config import MAX_SHARDS, shard_key_name
from schemas.errors import BadInputError, NotFoundError
from schemas.records import CreateShardKey, DeleteShardKey
from schemas.shard_keys import check_method, check_new_key, unknown_key

FIRST = 1
"""The number of the first shard of all keys."""


def fold_shard_keys(state: CatalogState, record: CreateShardKey | DeleteShardKey) -> CatalogEffects:
    """The effects of ``record``. Raises NotFoundError, BadInputError, ConflictError, UnprocessableError."""
    # The kept name of a staged collection counts, too: that is how one is recovered.
    collection = state.collections.get(record.name) or state.resolve(record.name)
    if collection is None or collection.key is not None:
        raise NotFoundError(f"Not found: Collection `{record.name}` doesn't exist!")
    keys = state.family(collection.name)[1:]
    if isinstance(record, CreateShardKey):
        check_new_key(collection.config.sharding_method, record.key, [meta.key for meta in keys], collection.name)
        return _create(state, record, collection, keys)
    check_method(collection.config.sharding_method)
    if all(meta.key != record.key for meta in keys):
        raise unknown_key(record.key, collection.name)
    return close_collections(state, [shard_key_name(collection.name, record.key)])


def _create(
    state: CatalogState, record: CreateShardKey, collection: CollectionMeta, keys: list[CollectionMeta]
) -> CatalogEffects:
    there = sum(len(meta.shard_map) for meta in keys)
    if there + record.shards > MAX_SHARDS:
        raise BadInputError(f"Bad request: a collection has at most {MAX_SHARDS} shards")
    config = msgspec.structs.replace(collection.config, shard_number=record.shards)
    first = max((meta.first + len(meta.shard_map) for meta in keys), default=FIRST)
    shard_map = assign(state, record.shards, record.partitions)
    name = shard_key_name(collection.name, record.key)
    return open_shards(state, CollectionMeta(record.uid, name, config, shard_map, record.key, first))
