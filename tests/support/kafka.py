"""A real Kafka broker: one for all processes of a run, on a free port; and the topics of each test in it."""

import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from compose.kafka import KafkaBroker, MissingToolError
from ingest.kafka import KafkaSettings
from tests.support.java import start_quickly

_numbers = itertools.count()


def missing_kafka(error: MissingToolError) -> None:
    """Skip the test, saying what to install; where tests must not be skipped, on CI, fail instead."""
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(f"Kafka tests can't be left out on CI: {error}")
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def quick_java() -> None:
    """Every Java of the session starts quickly."""
    try:
        start_quickly()
    except MissingToolError as error:
        missing_kafka(error)


@pytest.fixture(scope="session")
def kafka_broker(quick_java: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[KafkaBroker]:
    """The run's broker. Tests share it: a test that stops it takes ``own_broker`` instead."""
    here = tmp_path_factory.getbasetemp()
    folder = (here.parent if "PYTEST_XDIST_WORKER" in os.environ else here) / "kafka"
    user = folder / f"{os.getpid()}.user"
    with _locked(folder):
        folder.mkdir(exist_ok=True)
        user.touch()
        broker = KafkaBroker.find(folder)
        if broker is None or not broker.running:
            broker = _start(folder)
    try:
        yield broker
    finally:
        with _locked(folder):
            user.unlink()
            if not any(_is_there(each) for each in folder.glob("*.user")):
                broker.kill()
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_there(user: Path) -> bool:
    """Whether the process that made this file still runs."""
    try:
        os.kill(int(user.stem), 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def module_broker(quick_java: None) -> Generator[KafkaBroker]:
    """A broker for what the tests of one module share, which may kill it."""
    yield from _broker()


@pytest.fixture
def own_broker(module_broker: KafkaBroker) -> KafkaBroker:
    """The module's broker, which runs when a test begins."""
    if not module_broker.running:
        module_broker.restart()
    return module_broker


@pytest.fixture
def kafka_settings(kafka_broker: KafkaBroker) -> KafkaSettings:
    """The session's broker, and a prefix that no other test has."""
    return settings_for(kafka_broker)


def settings_for(broker: KafkaBroker, **options: object) -> KafkaSettings:
    """Settings for topics of their own in ``broker``."""
    prefix = f"test-{os.getpid()}-{next(_numbers)}"
    return KafkaSettings.model_validate({"bootstrap_servers": broker.bootstrap, "prefix": prefix, **options})


def _broker() -> Generator[KafkaBroker]:
    with tempfile.TemporaryDirectory(prefix="headwater-kafka-", ignore_cleanup_errors=True) as folder:
        broker = _start(Path(folder))
        try:
            yield broker
        finally:
            broker.kill()


def _start(folder: Path) -> KafkaBroker:
    try:
        return KafkaBroker.start(folder)
    except MissingToolError as error:
        missing_kafka(error)
        raise
