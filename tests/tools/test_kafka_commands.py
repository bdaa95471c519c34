"""Commands that look at a log and a state do so over Kafka as over the embedded log."""

import json
import shutil
from pathlib import Path

import pytest

from ingest.kafka import KafkaSettings
from ingest.log import Topic
from tests.support.server import headwater
from tests.tools.kafka_world import PARTITIONS, Deployment
from tests.tools.world import run

pytestmark = pytest.mark.kafka


@pytest.fixture
def deployment(kafka_settings: KafkaSettings, tmp_path: Path) -> Deployment:
    deployment = Deployment(kafka_settings, tmp_path / "data")
    run(deployment.begin())
    run(deployment.fold())
    return deployment


def test_looking_at_it(deployment: Deployment) -> None:
    run(deployment.commit("somebody", back=1))
    code, said = deployment.tool("info")
    assert code == 0, said
    assert "log kafka:" in said
    assert "words" in said
    group = next(line for line in said.splitlines() if f"{deployment.settings.prefix}.somebody" in line)
    assert [cell.strip() for cell in group.split("│")[2:6]] == ["catalog", "0", "1", "1"]
    code, said = deployment.tool("log", "tail", "--partition", "1", "--from", "1")
    assert code == 0, said
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["offset"] for line in lines] == list(range(1, len(lines) + 1))
    assert {line["record"]["type"] for line in lines} == {"points", "shard_opened"}
    code, said = deployment.tool("log", "tail", "--topic", "catalog")
    assert [json.loads(line)["record"]["name"] for line in said.splitlines()] == ["words", "things"]
    code, said = deployment.tool("log", "tail", "--partition", str(PARTITIONS))
    assert (code, f"points has {PARTITIONS} partitions, there is no 2" in said) == (1, True)


def test_checking_and_rebuilding_the_state(deployment: Deployment) -> None:
    code, said = deployment.tool("verify")
    assert (code, "digests are equal" in said) == (0, True), said
    live = run(deployment.fold())
    into = deployment.data / "replayed"
    code, said = deployment.tool("replay", "--into", str(into))
    assert code == 0, said
    shutil.rmtree(deployment.folder.root)
    into.rename(deployment.folder.root)
    assert run(deployment.fold()) == live
    shutil.rmtree(deployment.folder.rocksdb(1))
    code, said = deployment.tool("verify")
    assert (code, "there is no state of points-1" in said) == (1, True)


def test_settings_come_from_the_environment(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_KAFKA__BOOTSTRAP_SERVERS", deployment.settings.bootstrap_servers)
    monkeypatch.setenv("HEADWATER_KAFKA__PREFIX", deployment.settings.prefix)
    assert headwater("log", "tail", "--topic", Topic.CATALOG).stdout.count("create_collection") == 2
    monkeypatch.setenv("HEADWATER_KAFKA__PREFIX", "nothing")
    assert "no log with the prefix nothing" in headwater("log", "tail").stderr
    monkeypatch.setenv("HEADWATER_KAFKA__TIMEOUT", "soon")
    assert "kafka.timeout: " in headwater("log", "tail").stderr
