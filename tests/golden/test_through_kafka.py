"""What was recorded of writes is answered by a cluster as by one process, and a replay gives the same state."""

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


@pytest.mark.kafka
def test_a_replay_changes_what_is_there_alike(clustered: Cluster) -> None:
    with Http(clustered.port) as http:
        created = {"vectors": {"size": 2, "distance": "Dot"}, "sharding_method": "custom"}
        assert http.put("/collections/keyed", created).result is True
        for key in ("north", 7):
            assert http.put("/collections/keyed/shards", {"shard_key": key}).result is True
            points = [{"id": n, "vector": [n, 1.0], "payload": {"n": n}} for n in range(1, 9)]
            written = http.put("/collections/keyed/points?wait=true", {"points": points, "shard_key": key})
            assert written.status == 200
        marked = {"payload": {"marked": True}, "points": [3, 99, 5], "shard_key": 7}
        refused = http.post("/collections/keyed/points/payload?wait=true", marked)
        assert (refused.status, refused.error) == (404, "Not found: No point with id 99 found")
        passing = {"filter": {"must": [{"key": "marked", "match": {"value": True}}]}, "with_payload": False}
        found = http.post("/collections/keyed/points/scroll", passing).result["points"]
        assert [(point["id"], point["shard_key"]) for point in found] == [(3, 7), (5, 7)]
    (projector,) = clustered.projectors
    assert projector.stop() == 0, projector.last_output()
    clustered.verify()
