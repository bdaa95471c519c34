"""Topics that an operator made with Kafka's own limit: whatever they take as one record is split to fit."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.kafka import KafkaSettings
from ingest.log import Topic
from tests.ingest.kafka.support import LOSSLESS, create_topic, foreign_producer
from tests.ingest.log_contract import within
from tests.support.cluster import Cluster
from tests.support.http import Http

pytestmark = pytest.mark.kafka

PARTITIONS = 2
COUNT = 20_000
MIB = 1 << 20
COLLECTION = "/collections/c"


@pytest.fixture
def cluster(kafka_settings: KafkaSettings, tmp_path: Path) -> Iterator[Cluster]:
    async def make_topics() -> None:
        await create_topic(kafka_settings, Topic.POINTS, LOSSLESS, PARTITIONS)

    within(make_topics())
    with Cluster(tmp_path, kafka_settings, partitions=PARTITIONS) as cluster:
        cluster.start()
        with Http(cluster.port) as http:
            assert http.put(COLLECTION, {"vectors": {"size": 2, "distance": "Dot"}, "shard_number": 1}).result is True
        yield cluster


def points(first: int) -> list[dict[str, Any]]:
    return [{"id": n, "vector": [1, n], "payload": {"a": "x" * 100}} for n in range(first, first + COUNT)]


def count(cluster: Cluster) -> int:
    with Http(cluster.port) as http:
        found: int = http.post(f"{COLLECTION}/points/count", {}).result["count"]
    return found


def test_a_batch_larger_than_a_record(cluster: Cluster) -> None:
    body = {"points": points(0)}
    assert MIB < len(msgspec.json.encode(body)) < 4 * MIB
    with Http(cluster.port) as http:
        answer = http.put(f"{COLLECTION}/points?wait=true", body)
    assert answer.status == 200, answer
    assert count(cluster) == COUNT


def test_a_foreign_record_that_was_larger_before_it_was_compressed(cluster: Cluster) -> None:
    values = [msgspec.json.encode({"collection_name": "c", "points": points(n * COUNT)}) for n in range(PARTITIONS)]
    assert len(gzip.compress(values[0])) < MIB < len(values[0])

    async def produce() -> None:
        name = cluster.kafka.topic(Topic.POINTS)
        async with foreign_producer(cluster.kafka, compression_type="gzip", max_request_size=4 * MIB) as producer:
            for partition, value in enumerate(values):
                await producer.send_and_wait(name, value, partition=partition)

    within(produce())
    cluster.settle()
    assert count(cluster) == PARTITIONS * COUNT
