"""Write to Headwater with nothing but a Kafka client: aiokafka, and JSON as Qdrant's Kafka sink connector takes it.

Start Kafka, a projector and an api first (examples/README.md says how), then run this.
"""

import asyncio
import json
import os
import time

from aiokafka import AIOKafkaProducer
from qdrant_client import QdrantClient, models

KAFKA = os.environ.get("KAFKA", "localhost:9092")
TOPIC = os.environ.get("TOPIC", "headwater.points")
URL = os.environ.get("URL", "http://localhost:6333")

CITIES = [
    (1, [0.05, 0.61, 0.76, 0.74], {"name": "Berlin", "country": "Germany"}),
    (2, [0.19, 0.81, 0.75, 0.11], {"name": "London", "country": "United Kingdom"}),
    (3, [0.36, 0.55, 0.47, 0.94], {"name": "Hamburg", "country": "Germany"}),
    (4, [0.18, 0.01, 0.85, 0.80], {"name": "New York", "country": "United States"}),
    (5, [0.24, 0.18, 0.22, 0.44], {"name": "Munich", "country": "Germany"}),
]


def message(id: int, vector: list[float], payload: dict[str, str]) -> tuple[bytes, bytes]:
    """Key and value. With a key of its own a point's records keep their order, whatever partition they land in."""
    value = {"collection_name": "cities-by-kafka", "id": id, "vector": vector, "payload": payload}
    return str(id).encode(), json.dumps(value).encode()


async def produce() -> None:
    # Idempotent: what is sent is on the topic once, in this order, also when a broker has to be asked twice.
    producer = AIOKafkaProducer(bootstrap_servers=KAFKA, enable_idempotence=True)
    await producer.start()
    try:
        for city in CITIES:
            key, value = message(*city)
            where = await producer.send_and_wait(TOPIC, value, key)
            print(f"{city[2]['name']} is record {where.offset} of partition {where.partition}")
    finally:
        await producer.stop()


def main() -> None:
    # Collections are made through the api. It is Qdrant's, and so is the client.
    client = QdrantClient(url=URL)
    if client.collection_exists("cities-by-kafka"):
        client.delete_collection("cities-by-kafka")
    client.create_collection(
        "cities-by-kafka", vectors_config=models.VectorParams(size=4, distance=models.Distance.COSINE)
    )

    asyncio.run(produce())

    # A producer is told when its record is on the log. It can be searched a few milliseconds later.
    while client.count("cities-by-kafka").count < len(CITIES):
        time.sleep(0.01)
    for hit in client.query_points("cities-by-kafka", query=[0.2, 0.1, 0.9, 0.7], limit=3).points:
        print(f"{hit.score:.3f}  {hit.payload}")


if __name__ == "__main__":
    main()
