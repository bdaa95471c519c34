"""A projector whose disk is full pauses and says so: who waits for what it would apply is told why, and it goes on."""

import json
import random
from pathlib import Path

import pytest

from compose.kafka import KafkaBroker
from tests.support.cluster import Cluster
from tests.support.disk import small_disk
from tests.support.http import Answer, Http
from tests.support.kafka import settings_for
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

MEBIBYTES = 192
LEFT = 8 << 20


def _upsert(http: Http, number: int, rng: random.Random) -> Answer:
    points = [{"id": number, "vector": [1.0, float(number)], "payload": {"text": rng.randbytes(100_000).hex()}}]
    body = json.dumps({"points": points}).encode()
    return http.send("PUT", "/collections/things/points?wait=true&timeout=30", body)


def _create(http: Http, number: int) -> Answer:
    return http.put(f"/collections/c{number}?timeout=30", {"vectors": {"size": 2, "distance": "Dot"}})


def _count(http: Http) -> int:
    count: int = http.post("/collections/things/points/count", {"exact": True}).result["count"]
    return count


def test_writes_that_wait_are_told_of_the_disk(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    rng = random.Random(1)
    with (
        small_disk(tmp_path / "data", MEBIBYTES) as disk,
        Cluster(tmp_path, settings_for(kafka_broker), partitions=1) as cluster,
    ):
        cluster.start()
        with Http(cluster.port) as http:
            assert http.put("/collections/things", {"vectors": {"size": 2, "distance": "Dot"}}).status == 200
            assert _upsert(http, 0, rng).status == 200
            disk.fill(LEFT)
            answer = next(a for number in range(1, 500) if (a := _upsert(http, number, rng)).status != 200)
            assert (answer.status, "No space left on device" in answer.error) == (507, True), answer.error
            written = _count(http)
            assert http.get("/collections/things/points/0").result["id"] == 0
            disk.fill(0)
            answer = next(a for number in range(500) if (a := _create(http, number)).status != 200)
            assert (answer.status, "No space left on device" in answer.error) == (507, True), answer.error
            disk.make_room()
            eventually(lambda: _count(http) == written + 1)
            eventually(lambda: _upsert(http, 1000, rng).status == 200)
            assert _count(http) == written + 2
