"""What a record of the catalog does: the next state, and markers for the partitions whose shards it concerns."""

import heapq
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from projector.catalog.state import CatalogState, CollectionMeta
from schemas.config import CUSTOM_SHARDING
from schemas.errors import ConflictError
from schemas.operations import Outcome
from schemas.records import CreateCollection, Marker, ShardChanged, ShardClosed, ShardOpened, StageCollection


@dataclass(frozen=True, slots=True)
class CatalogEffects:
    """What one record does. ``markers``: (partition, marker), in the order of their sequence numbers."""

    state: CatalogState
    outcome: Outcome
    markers: tuple[tuple[int, Marker], ...] = ()


def open_collection(state: CatalogState, record: CreateCollection | StageCollection, kept_as: str) -> CatalogEffects:
    """The effects of a new collection that is kept under the name ``kept_as``. Raises ConflictError.

    One of custom sharding has no shards before it has keys.
    """
    shards = 0 if record.config.sharding_method == CUSTOM_SHARDING else record.config.shard_number
    shard_map = assign(state, shards, record.partitions)
    return open_shards(state, CollectionMeta(record.uid, kept_as, record.config, shard_map))


def open_shards(state: CatalogState, meta: CollectionMeta) -> CatalogEffects:
    """The effects of ``meta`` beginning to be. Raises ConflictError."""
    if any(c.uid == meta.uid for c in state.collections.values()):
        raise ConflictError(f"Wrong input: the uid of collection `{meta.name}` is taken, create it again")
    markers = tuple(
        (
            partition,
            ShardOpened(
                seq=state.seq + 1 + shard,
                uid=meta.uid,
                shard=shard,
                name=meta.name,
                config=meta.config,
                shard_map=meta.shard_map,
            ),
        )
        for shard, partition in enumerate(meta.shard_map)
    )
    collections = {**state.collections, meta.name: meta}
    return CatalogEffects(replace(state, collections=collections, seq=state.seq + len(markers)), Outcome(), markers)


def assign(state: CatalogState, shards: int, partitions: int) -> list[int]:
    """The partitions with the fewest shards first; of equals, the lowest."""
    load = Counter(p for collection in state.collections.values() for p in collection.shard_map)
    lightest = [(load[partition], partition) for partition in range(partitions)]
    heapq.heapify(lightest)
    shard_map: list[int] = []
    for _ in range(shards):
        count, partition = lightest[0]
        heapq.heapreplace(lightest, (count + 1, partition))
        shard_map.append(partition)
    return shard_map


def close_collections(state: CatalogState, names: Sequence[str]) -> CatalogEffects:
    """The effects of dropping those of the collections ``names`` that there are, with their shard keys."""
    gone = [meta for name in names for meta in state.family(name)]
    hidden = {meta.name for meta in gone}
    collections = {n: c for n, c in state.collections.items() if n not in hidden}
    shards = [(meta.uid, shard, partition) for meta in gone for shard, partition in enumerate(meta.shard_map)]
    markers = tuple(
        (partition, ShardClosed(seq=seq, uid=uid, shard=shard))
        for seq, (uid, shard, partition) in enumerate(shards, state.seq + 1)
    )
    return CatalogEffects(replace(state, collections=collections, seq=state.seq + len(markers)), Outcome(), markers)


def change_collections(
    state: CatalogState, changed: Sequence[CollectionMeta], gone: Collection[str] = (), *, renamed: bool = False
) -> CatalogEffects:
    """The effects of ``changed`` being kept from here on, and what was kept under the names ``gone`` no longer.

    Every shard of ``changed`` is told its configuration, and with ``renamed`` its name.
    """
    collections = {n: c for n, c in state.collections.items() if n not in gone}
    collections |= {meta.name: meta for meta in changed}
    shards = [(meta, shard, partition) for meta in changed for shard, partition in enumerate(meta.shard_map)]
    markers = tuple(
        (
            partition,
            ShardChanged(seq=seq, uid=meta.uid, shard=shard, config=meta.config, name=meta.name if renamed else None),
        )
        for seq, (meta, shard, partition) in enumerate(shards, state.seq + 1)
    )
    return CatalogEffects(replace(state, collections=collections, seq=state.seq + len(markers)), Outcome(), markers)
