"""Keep a collection equal to a table, from the stream of the table's changes: as change data capture produces it.

Every change of a row is a record whose key names the row: the row as it is now, or no value (a tombstone) once it is
deleted. The key alone decides about the partition, so the changes of one row keep their order, and the last one wins.
Start Kafka, a projector and an api first (examples/README.md says how), then run this.
"""

import asyncio
import json
import os
import random
import time
from collections.abc import Iterator
from typing import TypedDict

from aiokafka import AIOKafkaProducer
from qdrant_client import QdrantClient, models

KAFKA = os.environ.get("KAFKA", "localhost:9092")
TOPIC = os.environ.get("TOPIC", "headwater.points")
URL = os.environ.get("URL", "http://localhost:6333")

COLLECTION = "products-by-kafka"  # a name of this example's own: a second run starts afresh
WORDS = ("apple", "bread", "cheese", "lemon", "pepper", "rice", "salt", "tea")


class Row(TypedDict):
    """A row of the table."""

    name: str
    price: int


def changes(count: int, seed: int = 1) -> Iterator[tuple[int, Row | None]]:
    """What happens to the table: rows by their primary key are inserted, updated and (None) deleted."""
    rng = random.Random(seed)
    for _ in range(count):
        row: Row = {"name": rng.choice(WORDS), "price": rng.randrange(100, 1000)}
        yield rng.randrange(200), None if rng.random() < 0.25 else row


def embedding(row: Row) -> list[float]:
    """Stands for a model: one axis for each word, one for the price."""
    return [*(1.0 if word == row["name"] else 0.0 for word in WORDS), row["price"] / 1000]


def message(id: int, row: Row | None) -> tuple[bytes, bytes | None]:
    """Key and value. The key says which point of which collection it is, which is all that a tombstone needs."""
    key = json.dumps({"collection_name": COLLECTION, "id": id}).encode()
    if row is None:
        return key, None
    value = {"collection_name": COLLECTION, "id": id, "vector": embedding(row), "payload": row}
    return key, json.dumps(value).encode()


async def produce(stream: Iterator[tuple[int, Row | None]]) -> dict[int, Row]:
    """Send every change, and return what is in the table after the last one."""
    table: dict[int, Row] = {}
    # Idempotent: what is sent is on the topic once, in this order, also when a broker has to be asked twice.
    producer = AIOKafkaProducer(bootstrap_servers=KAFKA, enable_idempotence=True, linger_ms=5)
    await producer.start()
    try:
        for id, row in stream:
            key, value = message(id, row)
            await producer.send(TOPIC, value, key)
            if row is None:
                table.pop(id, None)
            else:
                table[id] = row
        await producer.flush()
    finally:
        await producer.stop()
    return table


def in_collection(client: QdrantClient) -> dict[int | str, dict[str, object]]:
    """Every point's payload."""
    found: dict[int | str, dict[str, object]] = {}
    page, offset = client.scroll(COLLECTION, limit=1000)
    while True:
        found |= {int(str(point.id)): point.payload or {} for point in page}
        if offset is None:
            return found
        page, offset = client.scroll(COLLECTION, limit=1000, offset=offset)


def main() -> None:
    client = QdrantClient(url=URL)
    if client.collection_exists(COLLECTION):
        client.delete_collection(COLLECTION)
    size = len(WORDS) + 1
    client.create_collection(
        COLLECTION, vectors_config=models.VectorParams(size=size, distance=models.Distance.DOT), shard_number=4
    )

    table = asyncio.run(produce(changes(5000)))

    print(f"the table has {len(table)} rows after 5000 changes")
    while in_collection(client) != table:
        time.sleep(0.05)
    print(f"so has the collection: {client.count(COLLECTION).count} points, each as its row is now")


if __name__ == "__main__":
    main()
