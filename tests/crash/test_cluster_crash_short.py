"""A few rounds on a cluster. ``python -m tests.crash.long --cluster`` plays many."""

from collections.abc import Iterator

import pytest

from compose.kafka import KafkaBroker
from tests.crash.cluster_harness import SHORT, ClusterHarness
from tests.support.seeds import BASE_SEED, seed_note

pytestmark = [pytest.mark.crash, pytest.mark.kafka]


@pytest.fixture(scope="module")
def harness(module_broker: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterHarness]:
    folder = tmp_path_factory.mktemp("cluster-crash")
    with ClusterHarness(folder, BASE_SEED, module_broker, habits=SHORT) as made:
        made.begin()
        yield made


@pytest.fixture(autouse=True)
def _tell_the_seed() -> None:
    print(seed_note())


@pytest.mark.parametrize("victims", [["broker"], ["projector", "worker"], ["api"]], ids=" and ".join)
def test_nothing_acknowledged_is_lost_when_they_are_killed(harness: ClusterHarness, victims: list[str]) -> None:
    done = harness.crash_round(harness.rng.uniform(0.3, 1.0), victims)
    assert done.acknowledged > 0


def test_nothing_acknowledged_is_lost_when_all_are_killed_twice(harness: ClusterHarness) -> None:
    done = harness.crash_round(harness.rng.uniform(0.3, 1.0), ["broker", "projector", "api"], again=True)
    assert done.acknowledged > 0


def test_verify_agrees_after_all_that(harness: ClusterHarness) -> None:
    harness.verify_round(harness.rng.uniform(0.3, 1.0))
