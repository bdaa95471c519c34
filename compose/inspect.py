"""What the log and a data folder hold."""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from compose.open_log import open_log
from compose.settings import DataFolder, Settings
from ingest.kafka.settings import KafkaSettings
from ingest.log import Log, Topic
from projector.catalog.store import CatalogStore
from projector.folders import StateFolder
from projector.state.digest import digest_shard
from projector.state.losses import Loss
from projector.state.store import PartitionState
from schemas.vectors.params import AnyVectorParams, SparseVectorParams


@dataclass(frozen=True, slots=True)
class TopicOffsets:
    """A partition of the log: it has the records from ``first_offset`` up to, without, ``end_offset``."""

    topic: str
    partition: int
    first_offset: int
    end_offset: int


@dataclass(frozen=True, slots=True)
class GroupOffset:
    """How far a consumer group has read a partition; ``behind`` in records."""

    group: str
    topic: str
    partition: int
    committed_offset: int
    behind: int


@dataclass(frozen=True, slots=True)
class VectorsFacts:
    """A named vector, "" the unnamed one; sparse ones have neither ``size`` nor ``distance``."""

    name: str
    kind: Literal["dense", "multi", "sparse"]
    size: int | None = None
    distance: str | None = None


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """A collection in the catalog; ``shard_map`` has a partition for each shard."""

    name: str
    uid: str
    vectors: list[VectorsFacts]
    shard_map: list[int]
    aliases: list[str]


@dataclass(frozen=True, slots=True)
class ShardFacts:
    """A shard as a partition's state has it; ``version`` is its last, ``digest`` 32 hex digits."""

    partition: int
    applied_offset: int
    collection: str
    shard: int
    points: int
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class LossFacts:
    """Offsets ``first`` to ``last`` that the log lost, and that a state goes on without since ``accepted``."""

    topic: str
    partition: int
    first: int
    last: int
    accepted: datetime


@dataclass(frozen=True, slots=True)
class StateFacts:
    """What a state folder holds."""

    collections: list[CollectionFacts]
    shards: list[ShardFacts]
    losses: list[LossFacts]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What there is. ``groups`` is None without Kafka, ``state`` while there is none."""

    log: str
    topics: list[TopicOffsets]
    groups: list[GroupOffset] | None
    state: StateFacts | None


async def look(settings: Settings) -> Holdings:
    """The log's topics, who has read them how far, the catalog, and every shard. Opens everything read-only."""
    async with open_log(settings) as log:
        topics = await _topics(log)
        groups = None if settings.kafka is None else await _groups(log, settings.kafka)
        folder = StateFolder(DataFolder(settings.data).state)
        if not folder.catalog.exists():
            return Holdings(log.identity, topics, groups, None)
        state = StateFacts(_collections(folder, log.identity), _shards(folder, log), _losses(folder, log))
        return Holdings(log.identity, topics, groups, state)


async def _topics(log: Log) -> list[TopicOffsets]:
    return [
        TopicOffsets(topic, p, await log.start_offset(topic, p), await log.end_offset(topic, p))
        for topic in Topic
        for p in range(log.partitions(topic))
    ]


async def _groups(log: Log, kafka: KafkaSettings) -> list[GroupOffset]:
    from ingest.kafka.groups import GroupOffsets

    groups = await GroupOffsets.open(kafka)
    try:
        committed = await groups.all_committed()
    finally:
        await groups.close()
    return [
        GroupOffset(group, topic, partition, offset, await log.end_offset(topic, partition) - offset)
        for group, offsets in sorted(committed.items())
        for (topic, partition), offset in sorted(offsets.items())
    ]


def _collections(state: StateFolder, identity: str) -> list[CollectionFacts]:
    store = CatalogStore.open(state.catalog, identity, read_only=True)
    try:
        return [
            CollectionFacts(
                name,
                f"{meta.uid:016x}",
                [_vectors(n, v) for n, v in meta.config.names.items()],
                list(meta.shard_map),
                sorted(alias for alias, collection in store.state.aliases.items() if collection == name),
            )
            for name, meta in sorted(store.state.collections.items())
        ]
    finally:
        store.close()


def _vectors(name: str, params: AnyVectorParams) -> VectorsFacts:
    if isinstance(params, SparseVectorParams):
        return VectorsFacts(name, "sparse")
    return VectorsFacts(name, "multi" if params.multivector_config else "dense", params.size, params.distance)


def _losses(folder: StateFolder, log: Log) -> list[LossFacts]:
    found: list[tuple[Topic, int, Loss]] = []
    with closing(CatalogStore.open(folder.catalog, log.identity, read_only=True)) as store:
        found += [(Topic.CATALOG, 0, loss) for loss in store.losses]
    for partition in range(log.partitions(Topic.POINTS)):
        if folder.rocksdb(partition).exists():
            with closing(PartitionState.open(folder.rocksdb(partition), log.identity, read_only=True)) as state:
                found += [(Topic.POINTS, partition, loss) for loss in state.losses]
    return [
        LossFacts(topic, partition, loss.first, loss.last, datetime.fromtimestamp(loss.at_ms / 1000, UTC))
        for topic, partition, loss in found
    ]


def _shards(folder: StateFolder, log: Log) -> list[ShardFacts]:
    found: list[ShardFacts] = []
    for partition in range(log.partitions(Topic.POINTS)):
        path = folder.rocksdb(partition)
        if not path.exists():
            continue
        state = PartitionState.open(path, log.identity, read_only=True)
        try:
            for shard in sorted(state.shards()):
                d = digest_shard(state, shard)
                found.append(ShardFacts(partition, state.applied, d.name, d.shard, d.points, d.version, d.value))
        finally:
            state.close()
    return found
