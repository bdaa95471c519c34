"""A few rounds on a server of several processes. ``python -m tests.crash.long --workers 2`` plays many."""

from collections.abc import Iterator

import pytest

from tests.crash.damage import harm_feed
from tests.crash.harness import Harness
from tests.support.seeds import BASE_SEED, seed_note

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("crash"), BASE_SEED, partitions=2, workers=2) as made:
        made.begin()
        yield made


def seconds(harness: Harness) -> float:
    return harness.rng.uniform(0.3, 1.0)


@pytest.fixture(autouse=True)
def _tell_the_seed() -> None:
    print(seed_note())


def test_nothing_acknowledged_is_lost_when_the_process_that_writes_is_killed(harness: Harness) -> None:
    done = harness.kill_round(seconds(harness))
    assert done.acknowledged > 0


def test_nothing_acknowledged_is_lost_when_others_are_killed(harness: Harness) -> None:
    done = harness.kill_started_round(seconds(harness))
    assert done.acknowledged > 0


def test_nothing_acknowledged_is_lost_when_killed_while_recovering(harness: Harness) -> None:
    harness.kill_recovery_round(seconds(harness))


def test_a_feed_is_begun_anew(harness: Harness) -> None:
    harness.damage_round(seconds(harness), harm_feed)


def test_verify_agrees_after_a_stop_while_writing(harness: Harness) -> None:
    harness.stop_round(seconds(harness))
