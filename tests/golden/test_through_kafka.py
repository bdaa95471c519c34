"""Every recorded step is answered by a cluster as by one process, and a replay gives the same state."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from compose.kafka import KafkaBroker
from tests.golden.replay import unknown_differences
from tests.golden.transcript import ENVIRONMENTS, names, server_of
from tests.support.cluster import Cluster
from tests.support.http import Http
from tests.support.kafka import settings_for

PLAIN = [name for name in names() if not ENVIRONMENTS[server_of(name)]]


@pytest.fixture(scope="module")
def clusters(kafka_broker: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Cluster]]:
    """A cluster for each environment that the session's is not in, started for the first test that needs it."""
    with ExitStack() as stack:

        @cache
        def started(name: str) -> Cluster:
            folder, settings = tmp_path_factory.mktemp(name), settings_for(kafka_broker)
            made = Cluster(folder, settings, workers=2, environment=ENVIRONMENTS[name])
            return stack.enter_context(made).start()

        yield started


@pytest.mark.kafka
@pytest.mark.parametrize("name", PLAIN)
def test_transcript(name: str, cluster: Cluster) -> None:
    assert unknown_differences(name, cluster) == []


@pytest.mark.kafka
@pytest.mark.parametrize("name", sorted({*names()} - {*PLAIN}))
def test_transcript_in_another_environment(name: str, clusters: Callable[[str], Cluster]) -> None:
    assert unknown_differences(name, clusters(server_of(name))) == []


@pytest.mark.kafka
def test_a_replay_changes_what_is_there_alike(clusters: Callable[[str], Cluster]) -> None:
    clustered = clusters("cluster")
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
