"""What the log and a data folder hold, as tables."""

from contextlib import closing
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from compose.open_log import open_log
from compose.settings import DataFolder, Settings
from ingest.kafka.settings import KafkaSettings
from ingest.log import Log, Topic
from projector.catalog.store import CatalogStore
from projector.folders import StateFolder
from projector.state.digest import digest_shard
from projector.state.losses import Loss
from projector.state.store import PartitionState


async def describe(settings: Settings, console: Console) -> None:
    """Print the log's topics, who has read them how far, the catalog, and every shard. Opens everything read-only."""
    async with open_log(settings) as log:
        console.print(f"log {log.identity}")
        console.print(await _topics(log))
        if settings.kafka is not None:
            console.print(await _groups(log, settings.kafka))
        state = StateFolder(DataFolder(settings.data).state)
        if not state.catalog.exists():
            console.print("no state: it is built from the log at the next start")
            return
        console.print(_collections(state, log.identity))
        console.print(_shards(state, log))
        losses = _losses(state, log)
        if losses.row_count:
            console.print(losses)


async def _topics(log: Log) -> Table:
    table = Table("topic", "partition", "first offset", "end offset")
    for topic in Topic:
        for partition in range(log.partitions(topic)):
            start, end = await log.start_offset(topic, partition), await log.end_offset(topic, partition)
            table.add_row(topic, str(partition), str(start), str(end))
    return table


async def _groups(log: Log, kafka: KafkaSettings) -> Table:
    from ingest.kafka.groups import GroupOffsets

    groups = await GroupOffsets.open(kafka)
    try:
        committed = await groups.all_committed()
    finally:
        await groups.close()
    table = Table("consumer group", "topic", "partition", "committed offset", "behind")
    for group, offsets in sorted(committed.items()):
        for (topic, partition), offset in sorted(offsets.items()):
            behind = await log.end_offset(topic, partition) - offset
            table.add_row(group, topic, str(partition), str(offset), str(behind))
    return table


def _collections(state: StateFolder, identity: str) -> Table:
    store = CatalogStore.open(state.catalog, identity, read_only=True)
    try:
        table = Table("collection", "uid", "vectors", "shard -> partition", "aliases")
        for name, meta in sorted(store.state.collections.items()):
            vectors = ", ".join(f"{n or '(unnamed)'} {v.size} {v.distance}" for n, v in meta.config.vectors.items())
            aliases = ", ".join(sorted(a for a, c in store.state.aliases.items() if c == name))
            placed = ", ".join(f"{shard} -> {partition}" for shard, partition in enumerate(meta.shard_map))
            table.add_row(name, f"{meta.uid:016x}", vectors, placed, aliases)
        return table
    finally:
        store.close()


def _losses(folder: StateFolder, log: Log) -> Table:
    table = Table("topic", "partition", "lost from offset", "to", "accepted")
    found: list[tuple[Topic, int, Loss]] = []
    with closing(CatalogStore.open(folder.catalog, log.identity, read_only=True)) as store:
        found += [(Topic.CATALOG, 0, loss) for loss in store.losses]
    for partition in range(log.partitions(Topic.POINTS)):
        if folder.rocksdb(partition).exists():
            with closing(PartitionState.open(folder.rocksdb(partition), log.identity, read_only=True)) as state:
                found += [(Topic.POINTS, partition, loss) for loss in state.losses]
    for topic, partition, loss in found:
        at = datetime.fromtimestamp(loss.at_ms / 1000, UTC)
        table.add_row(topic, str(partition), str(loss.first), str(loss.last), f"{at:%Y-%m-%d %H:%M:%S} UTC")
    return table


def _shards(folder: StateFolder, log: Log) -> Table:
    table = Table("partition", "applied offset", "collection", "shard", "points", "version")
    table.add_column("digest", overflow="fold")
    for partition in range(log.partitions(Topic.POINTS)):
        path = folder.rocksdb(partition)
        if not path.exists():
            continue
        state = PartitionState.open(path, log.identity, read_only=True)
        try:
            for shard in sorted(state.shards()):
                d = digest_shard(state, shard)
                row = (partition, state.applied, d.name, d.shard, d.points, d.version, d.value)
                table.add_row(*map(str, row))
        finally:
            state.close()
    return table
