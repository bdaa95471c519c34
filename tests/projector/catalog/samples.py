"""Catalog records written briefly, and a state that they are applied to."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from ingest.log import Topic
from ingest.outcomes import Rejection
from projector.catalog.effects import CatalogEffects
from projector.catalog.fold import fold_catalog
from projector.catalog.follower import CatalogFollower
from projector.catalog.state import CatalogState
from projector.catalog.store import CatalogStore
from projector.worker.catalog_runner import CatalogRunner
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.operations import Outcome
from schemas.records import (
    AliasAction,
    CatalogRecord,
    ChangeAliases,
    CreateCollection,
    Marker,
    decode_partition_record,
    encode_record,
)
from tests.support.memory_log import MemoryLog


def config(shards: int = 1, size: int = 2) -> CollectionConfig:
    """A configuration with the unnamed vector."""
    return CollectionConfig(vectors={"": VectorParams(size, Distance.DOT)}, shard_number=shards)


def create(name: str, uid: int, shards: int = 1, partitions: int = 1) -> CreateCollection:
    """A new collection."""
    return CreateCollection(uid=uid, name=name, config=config(shards), partitions=partitions)


def change_aliases(*actions: AliasAction) -> ChangeAliases:
    """One record of alias actions."""
    return ChangeAliases(actions=list(actions))


class Catalog:
    """The state after the records so far."""

    def __init__(self, *records: CatalogRecord) -> None:
        self.state = CatalogState()
        for record in records:
            outcome = self.apply(record).outcome
            assert outcome.applied, outcome

    def apply(self, record: CatalogRecord) -> CatalogEffects:
        """Fold one more."""
        effects = fold_catalog(self.state, record)
        self.state = effects.state
        return effects


def put(log: MemoryLog, record: CatalogRecord | bytes) -> int:
    """Append to the catalog's log; the offset."""
    return log.put(Topic.CATALOG, 0, record if isinstance(record, bytes) else encode_record(record))


def markers_on(log: MemoryLog, partition: int) -> list[Marker]:
    """The markers on a points partition."""
    found = [decode_partition_record(value or b"") for value in log.values(Topic.POINTS, partition)]
    markers = [record for record in found if isinstance(record, Marker)]
    assert len(markers) == len(found)
    return markers


class Runner:
    """A catalog runner over a store, its follower, and what was rejected."""

    def __init__(self, log: MemoryLog, store: CatalogStore, seen: Sequence[int] = (), *, send: bool = True) -> None:
        self.follower = CatalogFollower()
        self.rejected: list[tuple[int, Sequence[Outcome]]] = []
        self.runner = CatalogRunner(
            log,
            store,
            self.follower.publish,
            self._reject,
            seen=lambda partition: seen[partition] if partition < len(seen) else 0,
            send=send,
        )

    async def _reject(self, rejections: Sequence[Rejection]) -> None:
        self.rejected += [(record.offset, outcomes) for record, outcomes in rejections]


def store_in(folder: Path, *, read_only: bool = False) -> closing[CatalogStore]:
    """The catalog's store in ``folder``, closed in the end."""
    return closing(CatalogStore.open(folder, "memory", read_only=read_only))
