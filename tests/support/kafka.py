"""A real Kafka broker: one for the whole session, on a free port; and the topics of each test in it."""

import itertools
import os
import tempfile
from collections.abc import Generator
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
def kafka_broker(quick_java: None) -> Generator[KafkaBroker]:
    """The session's broker. Tests share it: a test that stops it takes ``own_broker`` instead."""
    yield from _broker()


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
        try:
            broker = KafkaBroker.start(Path(folder))
        except MissingToolError as error:
            missing_kafka(error)
            raise
        try:
            yield broker
        finally:
            broker.kill()
