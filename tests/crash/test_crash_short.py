"""A few rounds of each kind. ``python -m tests.crash.long`` plays many."""

from collections.abc import Iterator

import pytest

from tests.crash.damage import HARMLESS, remove_state
from tests.crash.harness import Damage, Harness
from tests.support.seeds import BASE_SEED, seed_note
from tests.support.server import ServerError

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("crash"), BASE_SEED) as made:
        made.begin()
        yield made


def seconds(harness: Harness) -> float:
    return harness.rng.uniform(0.3, 1.0)


@pytest.fixture(autouse=True)
def _tell_the_seed() -> None:
    print(seed_note())


@pytest.mark.parametrize("turn", range(2))
def test_nothing_acknowledged_is_lost_when_killed(harness: Harness, turn: int) -> None:
    done = harness.kill_round(seconds(harness))
    assert done.acknowledged > 0


def test_nothing_acknowledged_is_lost_when_killed_while_segments_are_built(harness: Harness) -> None:
    harness.kill_idle_round(seconds(harness))
    # What was killed while it was built is built anew.
    harness.wait_for_graphs()


def test_nothing_acknowledged_is_lost_when_killed_while_recovering(harness: Harness) -> None:
    harness.kill_recovery_round(seconds(harness))


def test_verify_agrees_after_a_stop_while_writing(harness: Harness) -> None:
    harness.stop_round(seconds(harness))


@pytest.mark.parametrize("harm", HARMLESS, ids=lambda harm: harm.__name__)
def test_what_is_derived_is_rebuilt(harness: Harness, harm: Damage) -> None:
    harness.damage_round(seconds(harness), harm)


def test_a_damaged_state_is_right_or_refused(harness: Harness) -> None:
    harness.state_damage_round(seconds(harness))


def test_a_log_that_ends_before_the_state_is_refused(harness: Harness) -> None:
    harness.torn_log_round(seconds(harness))
    with pytest.raises(ServerError, match="ahead of its log"):
        harness.server.start()
    remove_state(harness.server.data, harness.rng)
    harness.server.start()
