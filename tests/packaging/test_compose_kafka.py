"""The broker of the compose file, started without Docker: set up by the code that its image runs, and then started."""

import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from compose.kafka import MissingToolError
from compose.kafka.jars import find_java, kafka_jars
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import Topic
from tests.ingest.log_contract import within
from tests.packaging.compose_file import environment
from tests.support.kafka import missing_kafka
from tests.support.server import free_port
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.usefixtures("quick_java")]
CLUSTER = "5L6g3nShT-eMCtK--X86sw"
"""What the image says where nobody says otherwise."""


def kafka_environment(data: Path) -> tuple[dict[str, str], int]:
    """The container's environment, with ports and a folder of this machine; and where it listens for clients."""
    ports = {f":{port}": f":{free_port()}" for port in (19092, 9092, 9093)}
    found = environment("kafka") | {"KAFKA_LOG_DIRS": str(data), "CLUSTER_ID": CLUSTER}
    for name in ("KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS", "KAFKA_CONTROLLER_QUORUM_VOTERS"):
        for there, here in ports.items():
            found[name] = found[name].replace(there, here)
    return found, int(ports[":9092"][1:])


@pytest.fixture
def bootstrap(tmp_path: Path) -> Generator[str]:
    """A broker, for clients outside of its network."""
    try:
        java = [str(find_java()), "-Xmx512m", "-cp", f"{kafka_jars()}/*"]
    except MissingToolError as error:
        missing_kafka(error)
        raise
    given, port = kafka_environment(tmp_path / "data")
    folders = [tmp_path / name for name in ("default", "mounted", "final")]
    for folder in folders:
        folder.mkdir()
    (folders[0] / "server.properties").write_text("")
    for name in ("log4j2.yaml", "tools-log4j2.yaml"):
        (folders[0] / name).write_text("Configuration:\n  Loggers:\n    Root:\n      level: INFO\n")
    options = [word for pair in zip(("-D", "-M", "-F"), map(str, folders), strict=True) for word in pair]
    with (tmp_path / "output").open("wb") as output:
        setup = [*java, "kafka.docker.KafkaDockerWrapper", "setup", *options]
        done = subprocess.run(setup, env={**os.environ, **given}, stdout=output, stderr=output, check=False)
        assert done.returncode == 0, (tmp_path / "output").read_text()
        start = [*java, "kafka.Kafka", str(folders[2] / "server.properties")]
        broker = subprocess.Popen(start, cwd=tmp_path, stdout=output, stderr=output)
    try:
        eventually(lambda: "Kafka Server started" in (tmp_path / "output").read_text() or broker.poll() is not None)
        assert broker.poll() is None, (tmp_path / "output").read_text()[-4000:]
        yield f"localhost:{port}"
    finally:
        broker.kill()
        broker.wait()


def test_it_starts_and_takes_a_log(bootstrap: str) -> None:
    async def check() -> None:
        log = await KafkaLog.open(KafkaSettings(bootstrap_servers=bootstrap, partitions=4))
        assert await log.append(Topic.POINTS, 3, b"value") == 0
        assert [record.value for record in await log.read(Topic.POINTS, 3, 0, 1000)] == [b"value"]
        await log.close()

    within(check())
