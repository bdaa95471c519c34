"""What a record of the catalog does: the next state, and markers for the partitions whose shards it concerns."""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from projector.catalog.state import CatalogState, CollectionMeta
from schemas.errors import ConflictError
from schemas.operations import Outcome
from schemas.records import CreateCollection, Marker, ShardClosed, ShardOpened, StageCollection


@dataclass(frozen=True, slots=True)
class CatalogEffects:
    """What one record does. ``markers``: (partition, marker), in the order of their sequence numbers."""

    state: CatalogState
    outcome: Outcome
    markers: tuple[tuple[int, Marker], ...] = ()


def open_collection(state: CatalogState, record: CreateCollection | StageCollection, kept_as: str) -> CatalogEffects:
    """The effects of a new collection that is kept under the name ``kept_as``. Raises ConflictError."""
    if any(c.uid == record.uid for c in state.collections.values()):
        raise ConflictError(f"Wrong input: the uid of collection `{record.name}` is taken, create it again")
    shard_map = _assign(state, record.config.shard_number, record.partitions)
    meta = CollectionMeta(record.uid, kept_as, record.config, shard_map)
    markers = tuple(
        (
            partition,
            ShardOpened(
                seq=state.seq + 1 + shard,
                uid=record.uid,
                shard=shard,
                name=kept_as,
                config=record.config,
                shard_map=shard_map,
            ),
        )
        for shard, partition in enumerate(shard_map)
    )
    collections = {**state.collections, kept_as: meta}
    return CatalogEffects(replace(state, collections=collections, seq=state.seq + len(markers)), Outcome(), markers)


def _assign(state: CatalogState, shards: int, partitions: int) -> list[int]:
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
    """The effects of dropping those of the collections ``names`` that there are."""
    collections = {n: c for n, c in state.collections.items() if n not in names}
    gone = [state.collections[n] for n in names if n in state.collections]
    shards = [(meta.uid, shard, partition) for meta in gone for shard, partition in enumerate(meta.shard_map)]
    markers = tuple(
        (partition, ShardClosed(seq=seq, uid=uid, shard=shard))
        for seq, (uid, shard, partition) in enumerate(shards, state.seq + 1)
    )
    return CatalogEffects(replace(state, collections=collections, seq=state.seq + len(markers)), Outcome(), markers)
