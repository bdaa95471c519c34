"""A replica begins to route when the group that did so is gone: nothing that was on the log by then is left out."""

from pathlib import Path

import pytest

from compose.kafka import KafkaBroker
from ingest.log import Topic
from tests.cluster.replica import GROUP, Replica
from tests.support.cluster import Cluster
from tests.support.http import Http
from tests.support.kafka import settings_for

pytestmark = pytest.mark.kafka

POINTS = 30


def produce(cluster: Cluster, first: int) -> None:
    """Points of one shard through all three partitions, and one record in each that is to be rejected."""
    for number in range(first, first + POINTS):
        value = b'{"collection_name": "words", "id": %d, "vector": [%d, 1]}' % (number, number)
        send(cluster, number % 3, value)
    for partition, value in enumerate((b"{", b'{"collection_name": "nowhere", "id": 1, "vector": [1]}', b"[]")):
        send(cluster, partition, value)


def send(cluster: Cluster, partition: int, value: bytes) -> None:
    cluster.topics.with_log(lambda log: log.append(Topic.POINTS, partition, value))


def test_nothing_is_left_out(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    with Cluster(tmp_path, settings_for(kafka_broker)) as cluster:
        cluster.start()
        with Http(cluster.port) as http:
            assert http.put("/collections/words", {"vectors": {"size": 2, "distance": "Dot"}}).result is True
        replica = Replica.start(cluster)
        produce(cluster, 0)
        cluster.settle()
        cluster.projectors[0].kill()
        produce(cluster, POINTS)
        cluster.reach(replica.api, cluster.topics.token())
        assert replica.projector.stop() == 0, replica.projector.last_output()

        successor = cluster.add_projector("--group", f"{cluster.kafka.prefix}.{GROUP}", data=replica.data)
        successor.start()
        cluster.settle(replica.api)
        with Http(replica.api.port) as http:
            assert http.post("/collections/words/points/count", {}).result["count"] == 2 * POINTS
        assert len(set(cluster.topics.rejected())) == 6
