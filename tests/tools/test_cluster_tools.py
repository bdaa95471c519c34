"""The tools beside a running cluster: produce, rejected, snapshot, truncate, restore; and the move from embedded."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.kafka import KafkaSettings
from tests.support.cluster import Cluster
from tests.support.http import Http
from tests.support.launching import ROOT
from tests.support.server import Server, headwater
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
WORDS = {"vectors": {"size": 2, "distance": "Dot"}, "shard_number": 3}


def produce(cluster: Cluster, points: dict[str, range]) -> None:
    """``headwater produce``: points of these ids, by collection."""
    lines = [
        json.dumps({"collection_name": name, "id": i, "vector": [i, 1], "payload": {"i": i}})
        for name, ids in points.items()
        for i in ids
    ]
    command = [sys.executable, "-m", "compose.cli", "produce", *where(cluster)]
    done = subprocess.run(command, cwd=ROOT, input="\n".join(lines), capture_output=True, text=True)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, f"{len(lines)} lines sent")


def where(cluster: Cluster) -> list[str]:
    return ["--kafka", cluster.kafka.bootstrap_servers, "--prefix", cluster.kafka.prefix]


def tool(cluster: Cluster, *arguments: str) -> str:
    done = headwater(*arguments, "--data", str(cluster.data), *where(cluster))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def count(port: int, name: str) -> int:
    with Http(port) as http:
        found: int = http.post(f"/collections/{name}/points/count", {"exact": True}).result["count"]
        return found


def create(port: int, name: str) -> None:
    with Http(port) as http:
        assert http.put(f"/collections/{name}", WORDS).status == 200


def test_a_life_with_snapshots_and_a_shorter_log(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    with Cluster(tmp_path, kafka_settings, projectors=2) as cluster:
        cluster.start()
        create(cluster.port, "words")
        produce(cluster, {"words": range(300), "unknown": range(20)})
        cluster.settle()
        assert count(cluster.port, "words") == 300

        rejected = [json.loads(line) for line in tool(cluster, "rejected", "list", "--json").splitlines()]
        assert sorted(json.loads(line["value"])["id"] for line in rejected) == list(range(20))
        create(cluster.port, "unknown")
        assert tool(cluster, "rejected", "replay", "--reason", "unknown") == "20 records sent again\n"
        cluster.settle()
        assert count(cluster.port, "unknown") == 20

        # Both workers contribute; whatever the groups have not committed yet, they do before long.
        made = headwater("snapshot", "create", "--name", "one", "--data", str(cluster.data))
        assert made.returncode == 0, made.stderr
        eventually(lambda: headwater("log", "truncate", "--data", str(cluster.data), *where(cluster)).returncode == 0)
        produce(cluster, {"words": range(300, 400)})
        cluster.settle()
        for process in cluster.processes:
            process.kill()
        cluster.verify()

        # Without its state a projector has nothing to begin with, and says what to do.
        shutil.rmtree(cluster.data / "state")
        refused = cluster.projectors[0]
        refused.launch()
        assert refused.wait_end() != 0
        assert "headwater snapshot restore one" in refused.last_output()
        restored = headwater("snapshot", "restore", "one", "--data", str(cluster.data))
        assert restored.returncode == 0, restored.stderr
        cluster.start()
        cluster.settle()
        assert (count(cluster.port, "words"), count(cluster.port, "unknown")) == (400, 20)
        for process in cluster.processes:
            process.stop()
        cluster.verify()
        assert len(tool(cluster, "rejected", "list").splitlines()) == 20


def test_from_embedded_to_kafka(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    data = tmp_path / "embedded"
    with Server(data, ["--partitions", "2"]) as server:
        server.start()
        create(server.port, "words")
        with Http(server.port) as http:
            for start in range(0, 500, 50):
                points = [{"id": i, "vector": [i, 1.0], "payload": {"i": i}} for i in range(start, start + 50)]
                assert http.put("/collections/words/points?wait=true", {"points": points}).status == 200
            assert http.post("/collections/words/points/delete?wait=true", {"points": [1, 2, 3]}).status == 200
        server.stop()
    with Cluster(tmp_path, kafka_settings, partitions=2) as cluster:
        copied = headwater("log", "copy", "--from", str(data), *where(cluster))
        assert copied.returncode == 0, copied.stderr
        cluster.start()
        cluster.settle()
        assert count(cluster.port, "words") == 497
        produce(cluster, {"words": range(1, 4)})
        cluster.settle()
        assert count(cluster.port, "words") == 500
        for process in cluster.processes:
            process.stop()
        cluster.verify()
