"""What was recorded of writes is answered by a cluster as by one process, and a replay gives the same."""

from collections.abc import Iterator

import pytest

from compose.kafka import KafkaBroker
from tests.golden.differences import known
from tests.golden.replay import Replay
from tests.golden.transcript import CLUSTERED, read
from tests.support.cluster import Cluster
from tests.support.http import Http
from tests.support.kafka import settings_for

NAMES = ("payload-ops", "points-batch", "points-delete", "shard-keys-cluster", "vectors-ops")
"""Where operations name points that are not there, and where shards have keys."""


@pytest.fixture(scope="module")
def clustered(kafka_broker: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("clustered")
    with Cluster(folder, settings_for(kafka_broker), workers=2, environment=CLUSTERED) as made:
        yield made.start()


@pytest.mark.kafka
@pytest.mark.parametrize("name", NAMES)
def test_transcript(name: str, clustered: Cluster) -> None:
    transcript, listed = read(name), known(name)
    with Http(clustered.port) as http:
        replay = Replay(transcript, http, clustered.url, clustered.data / "snapshots")
        wrong = [f"{step}\n    {found}" for step, found in replay.failures() if step.number not in listed]
    assert not wrong, "\n".join(wrong)
