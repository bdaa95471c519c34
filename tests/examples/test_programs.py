"""The examples run, each as a user runs it, on a cluster."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.log import Topic
from tests.examples.run import EXAMPLES
from tests.support.cluster import Cluster
from tests.support.http import Http
from tests.support.launching import ROOT
from tests.support.waiting import TIMEOUT_SECONDS

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def emptied(cluster: Cluster) -> Iterator[Cluster]:
    yield cluster
    cluster.drop_all()


def run(cluster: Cluster, *command: str, **environment: str) -> str:
    """What a program printed; it is told where the cluster is."""
    where = {"KAFKA": cluster.kafka.bootstrap_servers, "TOPIC": cluster.kafka.topic(Topic.POINTS), "URL": cluster.url}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | where | environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{cluster.last_output()}"
    return done.stdout


def count(cluster: Cluster, collection: str) -> int:
    with Http(cluster.port) as http:
        found: int = http.post(f"/collections/{collection}/points/count", {}).result["count"]
    return found


def test_produce(emptied: Cluster) -> None:
    lines = run(emptied, sys.executable, str(EXAMPLES / "produce.py")).splitlines()
    assert [line.partition(" is record")[0] for line in lines[:5]] == [
        "Berlin",
        "London",
        "Hamburg",
        "New York",
        "Munich",
    ]
    assert [line.split("'")[3] for line in lines[5:]] == ["New York", "Berlin", "Munich"]
    assert count(emptied, "cities-by-kafka") == 5
    # Once more: what is there is replaced.
    assert run(emptied, sys.executable, str(EXAMPLES / "produce.py")).splitlines()[5:] == lines[5:]


def test_change_data_capture(emptied: Cluster) -> None:
    first, second = run(emptied, sys.executable, str(EXAMPLES / "change_data_capture.py")).splitlines()
    rows = int(first.split()[3])
    assert 100 < rows < 200
    assert second == f"so has the collection: {rows} points, each as its row is now"
    emptied.settle()
    assert count(emptied, "products-by-kafka") == rows


def test_console_producer(emptied: Cluster, tmp_path: Path) -> None:
    tool = tmp_path / "bin" / "kafka-console-producer.sh"
    tool.parent.mkdir()
    tool.write_text(
        f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" -m compose.kafka run kafka-console-producer "$@"\n'
    )
    tool.chmod(0o755)
    rejected = emptied.topics.rejected()
    printed = run(emptied, str(EXAMPLES / "console_producer.sh"), KAFKA_HOME=str(tmp_path))
    assert "notes-by-kafka has 3 points" in printed
    assert "buy bread" in printed
    assert printed.endswith("notes-by-kafka has 2 points\n")
    emptied.settle()
    with Http(emptied.port) as http:
        found = http.post("/collections/notes-by-kafka/points/scroll", {}).result["points"]
    assert [(point["id"], point["payload"]) for point in found] == [
        (1, {"text": "buy bread", "done": True}),
        (3, {"text": "water the plants"}),
    ]
    assert emptied.topics.rejected() == rejected
