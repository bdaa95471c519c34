"""An api of several worker processes over a real broker, while workers, projector and broker come and go."""

import os
import random
import shutil
import signal
import threading
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from compose.kafka import KafkaBroker
from ingest.kafka import KafkaSettings
from ingest.log import Topic
from tests.ingest.kafka.support import create_topic
from tests.ingest.log_contract import within
from tests.support.cluster import Cluster
from tests.support.http import Answer, Http
from tests.support.kafka import settings_for
from tests.support.launching import new_interpreter
from tests.support.server import HeadwaterProcess, headwater
from tests.support.waiting import eventually

pytestmark = pytest.mark.kafka

WORKERS = 2
WRITES = 100
KILL_EVERY = 30
READS = 4
"""Of each write, on connections of their own: any worker may answer."""
PARTITIONS = 2
POINTS = "/collections/c/points"


class Client:
    """Requests on connections of their own."""

    def __init__(self, cluster: Cluster) -> None:
        self._port = cluster.port

    def send(self, method: str, path: str, body: object = None) -> Answer:
        with Http(self._port) as http:
            if body is None:
                return http.send(method, path)
            return http.put(path, body) if method == "PUT" else http.post(path, body)

    def create(self, name: str = "c", shards: int = PARTITIONS) -> None:
        body = {"vectors": {"size": 2, "distance": "Dot"}, "shard_number": shards}
        assert self.send("PUT", f"/collections/{name}", body).result is True

    def upsert(self, *ids: int, params: str = "wait=true") -> Answer:
        points = [{"id": i, "vector": [1.0, float(i)]} for i in ids]
        return self.send("PUT", f"{POINTS}?{params}", {"points": points})

    def count(self) -> int:
        found: int = self.send("POST", f"{POINTS}/count", {}).result["count"]
        return found

    def has(self, point: int) -> bool:
        return bool(self.send("POST", POINTS, {"ids": [point]}).result)


@pytest.fixture
def own_cluster(own_broker: KafkaBroker, tmp_path: Path) -> Iterator[Cluster]:
    settings = settings_for(own_broker)
    with Cluster(tmp_path, settings, partitions=PARTITIONS, workers=WORKERS) as cluster:
        yield cluster.start()


def worker_pids(cluster: Cluster) -> list[int]:
    return [pid for pid in cluster.api.processes() if pid != cluster.api.pid]


def test_what_is_completed_is_seen_whichever_worker_answers(own_cluster: Cluster) -> None:
    client = Client(own_cluster)
    client.create()
    chooser = random.Random(7)
    for point in range(WRITES):
        if point % KILL_EVERY == KILL_EVERY - 1:
            victim = chooser.choice(worker_pids(own_cluster))
            threading.Timer(0.02 * chooser.random(), os.kill, (victim, signal.SIGKILL)).start()
        while not _completed(client, point):
            pass
        for _ in range(READS):
            assert _has(client, point)
    eventually(lambda: len(worker_pids(own_cluster)) == WORKERS)
    assert client.count() == WRITES


def _completed(client: Client, point: int) -> bool:
    try:
        answer = client.upsert(point)
    except (OSError, HTTPException):
        return False  # the worker that answered was killed
    # 503: the last worker that was ready was killed.
    return answer.status != 503 and answer.result["status"] == "completed"


def _has(client: Client, point: int) -> bool:
    while True:
        try:
            answer = client.send("POST", POINTS, {"ids": [point]})
        except (OSError, HTTPException):
            continue
        if answer.status != 503:
            return bool(answer.result)


def test_the_projector_is_down(own_cluster: Cluster) -> None:
    client = Client(own_cluster)
    client.create()
    client.upsert(1)
    [projector] = own_cluster.projectors
    projector.kill()
    assert client.upsert(2, params="wait=false").result["status"] == "acknowledged"
    assert client.upsert(3, params="wait=true&timeout=4").result["status"] == "wait_timeout"
    refused = client.send("PUT", "/collections/d?timeout=4", {"vectors": {"size": 2, "distance": "Dot"}})
    assert (refused.status, "accepted" in refused.error) == (408, True)
    assert client.count() == 1
    assert client.send("GET", "/readyz").status == 200
    projector.start()
    assert client.upsert(4).result["status"] == "completed"
    eventually(lambda: client.count() == 4)
    eventually(lambda: client.send("GET", "/collections/d").status == 200)


def test_kafka_is_down(own_cluster: Cluster, own_broker: KafkaBroker) -> None:
    client = Client(own_cluster)
    client.create()
    client.upsert(1)
    own_broker.kill()
    for params in ("wait=true", "wait=false&timeout=1"):
        refused = client.upsert(2, params=params)
        assert refused.status == 503
        assert "not known" in refused.error
        assert "retry-after" in refused.headers
    assert client.count() == 1
    assert client.send("GET", "/collections/c").result["points_count"] == 1
    eventually(lambda: b"can't write: Kafka at " in client.send("GET", "/readyz").body)
    assert client.send("GET", "/readyz").status == 200
    eventually(lambda: _measured(client, "headwater_kafka_reachable") == 0)
    own_broker.restart()
    eventually(lambda: client.upsert(3).status == 200)
    assert client.has(3)
    assert own_cluster.alive()
    eventually(lambda: client.send("GET", "/readyz").body == b"all shards are ready")
    for process, times in ((own_cluster.projectors[0], 1), (own_cluster.api, WORKERS)):
        eventually(lambda process=process: _outages(process)[0] == _outages(process)[1])
        assert 0 < _outages(process)[0] <= times
        assert _of_the_client_library(process) == []


def _of_the_client_library(process: HeadwaterProcess) -> list[str]:
    """The lines that are Kafka's client's, or show where in it something went wrong.

    Where a thread was when the event loop was held up, which a loaded machine does, may be in the client, too.
    """
    lines = process.output.read_text().splitlines()
    return [line for line in lines if "aiokafka" in line and '"event": "the event loop was held up"' not in line]


def _outages(process: HeadwaterProcess) -> tuple[int, int]:
    """How often a process said that Kafka went, and that it is back."""
    # As events: reasons of others have these words, too.
    said = process.output.read_bytes()
    return said.count(b'"event": "Kafka can\'t be reached"'), said.count(b'"event": "Kafka is back"')


def test_an_api_that_is_first(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    settings = settings_for(kafka_broker)
    with Cluster(tmp_path, settings, partitions=PARTITIONS, workers=WORKERS, launch=new_interpreter) as cluster:
        cluster.api.launch()
        client = Client(cluster)
        eventually(lambda: b"waiting for a projector" in cluster.api.output.read_bytes())
        assert client.send("GET", "/readyz").status == 503
        cluster.projectors[0].launch()
        cluster.api.wait_ready()
        client.create()
        assert client.upsert(1).result["status"] == "completed"


def test_partitions_are_added(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    with Cluster(tmp_path, settings_for(kafka_broker), partitions=1, workers=WORKERS) as cluster:
        cluster.start()
        client = Client(cluster)
        client.create()
        client.upsert(*range(10))
        [projector] = cluster.projectors
        projector.stop()
        cluster.kafka = cluster.kafka.model_copy(update={"partitions": 3})
        cluster.add_projector().start()
        names = (f"c{number}" for number in range(1000))

        def spread() -> bool:
            name = next(names)
            client.create(name, shards=3)
            points = [{"id": i, "vector": [1.0, 1.0]} for i in range(20)]
            written = client.send("PUT", f"/collections/{name}/points?wait=true", {"points": points})
            assert written.result["status"] == "completed"
            assert client.send("POST", f"/collections/{name}/points/count", {}).result == {"count": 20}
            return {part.split(":")[0] for part in written.headers["x-headwater-offsets"].split(",")} == {"0", "1", "2"}

        eventually(spread)
        assert client.count() == 10
        for pid in worker_pids(cluster):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: len(worker_pids(cluster)) == WORKERS)
        cluster.api.wait_ready()
        assert client.count() == 10


def test_metrics_are_those_of_all_workers(cluster: Cluster) -> None:
    client = Client(cluster)
    before = _measured(client, ANSWERS)
    for _ in range(20):
        client.send("GET", "/collections")
    eventually(lambda: _measured(client, ANSWERS) >= before + 20)
    client.create()
    client.upsert(*range(20))
    for place in ('partition="0",topic="catalog"', 'partition="0",topic="points"'):
        eventually(lambda place=place: _measured(client, f"headwater_visible_offset{{{place}}}") >= 0)
    cluster.drop_all()


ANSWERS = 'headwater_http_responses_total{method="GET",path="/collections",status="200"}'


def _measured(client: Client, name: str) -> float:
    lines = client.send("GET", "/metrics").body.decode().splitlines()
    found = [float(line.removeprefix(name)) for line in lines if line.startswith(name)]
    assert len(found) <= 1
    return found[0] if found else -1.0


def test_a_data_folder_of_another_log(cluster: Cluster, kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    with Cluster(tmp_path, kafka_settings, partitions=1, projectors=0) as other:
        stranger = other.add_api(data=cluster.data)
        stranger.launch()
        eventually(lambda: b"loading the catalog: " in stranger.output.read_bytes())
        with Http(stranger.port) as http:
            eventually(lambda: b"not of" in http.get("/readyz").body)
            assert http.get("/readyz").status == 503


def test_topics_that_would_lose_records(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    within(create_topic(kafka_settings, Topic.POINTS, {"retention.ms": "1000"}))
    where = ["--kafka", kafka_settings.bootstrap_servers, "--prefix", kafka_settings.prefix]
    ended = headwater("api", *where, "--port", "0", "--workers", "2", "--data", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.count("retention.ms=1000") == 1
    assert "Traceback" not in ended.stderr


def test_a_group_has_one_data_folder(cluster: Cluster, tmp_path: Path) -> None:
    ended = headwater("projector", "--admin-port", "0", *cluster.flags(tmp_path / "another"))
    assert ended.returncode == 1
    assert f"the group {cluster.kafka.prefix}.projector works in another data folder than" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert cluster.alive()


def test_a_state_that_is_deleted_under_its_projector(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    with Cluster(tmp_path, settings_for(kafka_broker), partitions=1) as cluster:
        [projector] = cluster.projectors
        projector.start()
        shutil.rmtree(cluster.data / "state")
        assert projector.wait_end() != 0
        said = projector.output.read_bytes()
        assert said.count(b"was deleted or moved while this projector worked in it") == 1
        assert b"Traceback" not in said
