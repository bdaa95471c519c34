"""``headwater info``: what there is."""

import asyncio
from typing import TYPE_CHECKING

from compose.commands.options import Data, Kafka, Prefix, make_settings
from compose.console import Json, plain_console, print_json, whole_table

if TYPE_CHECKING:
    from rich.table import Table

    from compose.inspect import (
        CollectionFacts,
        GroupOffset,
        Holdings,
        LossFacts,
        ShardFacts,
        TopicOffsets,
        VectorsFacts,
    )


def info(as_json: Json = False, data: Data = None, kafka: Kafka = None, prefix: Prefix = None) -> None:
    """Show the log and what a data folder holds: state, collections."""
    settings = make_settings(data=data, kafka=kafka, prefix=prefix)
    from compose.inspect import look

    holdings = asyncio.run(look(settings))
    if as_json:
        print_json(holdings)
    else:
        _show(holdings)


def _show(holdings: "Holdings") -> None:
    console = plain_console()
    console.print(f"log {holdings.log}", soft_wrap=True)
    console.print(_topics(holdings.topics))
    if holdings.groups is not None:
        console.print(_groups(holdings.groups))
    if holdings.state is None:
        console.print("no state: it is built from the log at the next start")
        return
    console.print(_collections(holdings.state.collections))
    console.print(_shards(holdings.state.shards))
    if holdings.state.losses:
        console.print(_losses(holdings.state.losses))


def _topics(topics: "list[TopicOffsets]") -> "Table":
    table = whole_table("topic", "partition", "first offset", "end offset")
    for t in topics:
        table.add_row(t.topic, str(t.partition), str(t.first_offset), str(t.end_offset))
    return table


def _groups(groups: "list[GroupOffset]") -> "Table":
    table = whole_table("consumer group", "topic", "partition", "committed offset", "behind")
    for g in groups:
        table.add_row(g.group, g.topic, str(g.partition), str(g.committed_offset), str(g.behind))
    return table


def _collections(collections: "list[CollectionFacts]") -> "Table":
    table = whole_table("collection", "uid", "vectors", "shard -> partition", "aliases")
    for c in collections:
        vectors = ", ".join(_vectors(v) for v in c.vectors)
        placed = ", ".join(f"{shard} -> {partition}" for shard, partition in enumerate(c.shard_map))
        table.add_row(c.name, c.uid, vectors, placed, ", ".join(c.aliases))
    return table


def _vectors(facts: "VectorsFacts") -> str:
    told = [facts.name or "(unnamed)", facts.size, facts.distance, None if facts.kind == "dense" else facts.kind]
    return " ".join(str(each) for each in told if each is not None)


def _shards(shards: "list[ShardFacts]") -> "Table":
    table = whole_table("partition", "applied offset", "collection", "shard", "points", "version", "digest")
    for s in shards:
        row = (s.partition, s.applied_offset, s.collection, s.shard, s.points, s.version, s.digest)
        table.add_row(*map(str, row))
    return table


def _losses(losses: "list[LossFacts]") -> "Table":
    table = whole_table("topic", "partition", "lost from offset", "to", "accepted")
    for loss in losses:
        accepted = f"{loss.accepted:%Y-%m-%d %H:%M:%S} UTC"
        table.add_row(loss.topic, str(loss.partition), str(loss.first), str(loss.last), accepted)
    return table
