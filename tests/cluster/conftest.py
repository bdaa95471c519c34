"""One cluster for all tests of this folder, which leave it running."""

from collections.abc import Iterator

import pytest

from compose.kafka import KafkaBroker
from tests.cluster.replica import Replica
from tests.crash.cluster_harness import SHORT, ClusterHarness
from tests.support.seeds import BASE_SEED, seed_note


@pytest.fixture(scope="package")
def harness(kafka_broker: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterHarness]:
    """Two projector workers of a group, an api of two workers, and those who use them."""
    print(seed_note())
    folder = tmp_path_factory.mktemp("cluster")
    with ClusterHarness(folder, BASE_SEED, kafka_broker, projectors=2, habits=SHORT) as made:
        made.begin()
        yield made


@pytest.fixture(scope="package")
def replica(harness: ClusterHarness) -> Replica:
    """A second group with a data folder of its own, and an api over that."""
    return Replica.start(harness.cluster)
