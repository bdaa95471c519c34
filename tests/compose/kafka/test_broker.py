"""A broker as a process: started, found again, stopped, killed; on the same port with the same data."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from compose.kafka import BrokerError, KafkaBroker, MissingToolError
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import Topic
from tests.support.kafka import missing_kafka
from tests.support.launching import ROOT
from tests.support.server import free_port

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.usefixtures("quick_java")]


@pytest.fixture
def folder(tmp_path: Path) -> Generator[Path]:
    yield tmp_path / "kafka"
    broker = KafkaBroker.find(tmp_path / "kafka")
    if broker is not None:
        broker.kill()


def kafka(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "compose.kafka", *arguments, "--folder", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def append(broker: KafkaBroker) -> int:
    async def run() -> int:
        log = await KafkaLog.open(KafkaSettings(bootstrap_servers=broker.bootstrap, timeout=60))
        try:
            return await log.append(Topic.POINTS, 0, b"x")
        finally:
            await log.close()

    return asyncio.run(run())


def test_a_broker_keeps_port_and_data(folder: Path) -> None:
    try:
        broker = KafkaBroker.start(folder)
    except MissingToolError as error:
        missing_kafka(error)
        raise
    assert broker.running
    assert append(broker) == 0
    with pytest.raises(BrokerError, match=f"a broker runs already in .*, on {broker.bootstrap}"):
        KafkaBroker.start(folder)
    broker.kill()
    assert not broker.running
    broker.kill()
    broker.stop()

    broker.restart()
    found = KafkaBroker.find(folder)
    assert found is not None
    assert found.running
    assert (found.bootstrap, found.pid) == (broker.bootstrap, broker.pid)
    assert append(found) == 1
    found.stop()
    assert not broker.running
    assert KafkaBroker.find(folder.with_name("elsewhere")) is None


def test_the_command(folder: Path) -> None:
    port = free_port()
    assert kafka("status", folder=folder).returncode == 3
    started = kafka("start", "--port", str(port), folder=folder)
    if "was not found" in started.stderr:
        missing_kafka(MissingToolError(started.stderr))
    assert started.returncode == 0, started.stderr
    assert f"a broker runs on 127.0.0.1:{port}" in started.stdout
    status = kafka("status", folder=folder)
    assert (status.returncode, status.stdout) == (0, started.stdout)
    again = kafka("start", folder=folder)
    assert again.returncode == 1
    assert "runs already" in again.stderr
    assert kafka("stop", folder=folder).stdout == "stopped\n"
    assert kafka("status", folder=folder).returncode == 3
    assert "no broker runs" in kafka("stop", folder=folder).stdout


def test_a_port_that_is_taken(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        started = kafka("start", "--port", str(port), folder=folder)
    if "was not found" in started.stderr:
        missing_kafka(MissingToolError(started.stderr))
    assert started.returncode == 1
    assert "the broker ended while it started" in started.stderr
    assert "Address already in use" in started.stderr
    assert kafka("status", folder=folder).returncode == 3
