"""Workers of a group share the partitions; another group is a replica."""

from typing import Any

import pytest

from ingest.log import Topic
from tests.cluster.digests import digests
from tests.cluster.replica import Replica
from tests.cluster.watcher import Watcher
from tests.crash.cluster_harness import ClusterHarness, bring_up
from tests.crash.foreign import together
from tests.support.http import Http
from tests.support.server import HeadwaterProcess
from tests.support.waiting import eventually

pytestmark = pytest.mark.kafka

SECONDS = 0.5
TURNS = 40


def partitions(projector: HeadwaterProcess) -> set[tuple[str, int]]:
    """What a worker has caught up with."""
    with Http(projector.port) as http:
        found: list[dict[str, Any]] = http.get("/partitions").json()
    return {(one["topic"], one["partition"]) for one in found if one["caught_up"]}


def test_partitions_move_while_searches_stay_complete(harness: ClusterHarness) -> None:
    victim, survivor = harness.cluster.projectors
    everything = {(topic.value, number) for topic, number in harness.cluster.topics.ends() if topic != Topic.REJECTED}
    eventually(lambda: partitions(victim) | partitions(survivor) == everything)
    assert partitions(victim)
    assert partitions(survivor)
    watcher = Watcher(harness.cluster.port)
    watcher.fill()

    def kill() -> None:
        victim.close()
        eventually(lambda: partitions(survivor) == everything)
        watcher.more(10)

    def share() -> None:
        bring_up(victim)
        eventually(lambda: bool(partitions(victim)) and partitions(victim) | partitions(survivor) == everything)
        watcher.more(10)

    with watcher:
        harness.check(harness.while_writing(SECONDS, kill, "a worker was killed"))
        victim.launch()
        harness.check(harness.while_writing(SECONDS, share, "a worker joined"))
    assert harness.cluster.alive()


def test_what_one_api_wrote_another_reads_at_once(harness: ClusterHarness, replica: Replica) -> None:
    config = {"vectors": {"size": 2, "distance": "Dot"}, "shard_number": 3}
    apis = (harness.cluster.api, replica.api)
    with Http(apis[0].port) as first, Http(apis[1].port) as second:
        created = first.put("/collections/tokens", config)
        token = {"x-headwater-offsets": created.headers["x-headwater-offsets"]}
        assert second.send("GET", "/collections/tokens/exists", headers=token).result == {"exists": True}
        for turn in range(TURNS):
            writer, reader = (first, second) if turn % 2 else (second, first)
            point = {"id": turn, "vector": [1.0, 2.0]}
            written = writer.put("/collections/tokens/points?wait=false", {"points": [point]})
            assert written.result["status"] == "acknowledged"
            token = {"x-headwater-offsets": written.headers["x-headwater-offsets"]}
            read = reader.send("GET", f"/collections/tokens/points/{turn}", headers=token)
            assert read.result["vector"] == [1.0, 2.0]


def test_a_replica_has_the_same(harness: ClusterHarness, replica: Replica) -> None:
    done = harness.while_writing(SECONDS, lambda: None, "two groups")
    harness.check(done)
    harness.cluster.settle(replica.api)
    harness.world.check(replica.api.port, done, same_versions=True, others=together(harness.feeders))
    groups = (*harness.cluster.projectors, replica.projector)
    assert [projector.stop() for projector in groups] == [0] * len(groups)
    found = digests(harness.cluster.topics, harness.cluster.data)
    assert sum(digest.points for digest in found) > 0
    assert digests(harness.cluster.topics, replica.data) == found
    for projector in groups:
        projector.launch()
    for projector in groups:
        bring_up(projector)
