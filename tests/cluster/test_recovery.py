"""Recovery as a user does it. The api goes on serving meanwhile.

Nothing is forwarded or rejected again. A catalog that is folded anew sends its markers again, which nobody minds.
"""

import shutil

import pytest

from ingest.log import Topic
from schemas.records import PointsRecord, decode_partition_record
from tests.cluster.digests import digests
from tests.crash.cluster_harness import ClusterHarness, bring_up

pytestmark = pytest.mark.kafka

SECONDS = 0.5


def stop(harness: ClusterHarness) -> None:
    for projector in harness.cluster.projectors:
        assert projector.stop() == 0, projector.last_output()


def start(harness: ClusterHarness) -> None:
    for projector in harness.cluster.projectors:
        projector.launch()
    for projector in harness.cluster.projectors:
        bring_up(projector)


def test_a_state_that_was_deleted_comes_back(harness: ClusterHarness) -> None:
    cluster = harness.cluster
    harness.check(harness.while_writing(SECONDS, lambda: None, "before the state is deleted"))
    rejected, ends = cluster.topics.rejected(), cluster.topics.points_ends()
    stop(harness)
    shutil.rmtree(cluster.data / "state")
    start(harness)
    cluster.settle()
    for partition, end in ends.items():
        since = [record.value or b"" for record in cluster.topics.records(Topic.POINTS, partition, end)]
        assert not any(isinstance(decode_partition_record(value), PointsRecord) for value in since)
    assert cluster.topics.rejected() == rejected
    harness.check(harness.while_writing(SECONDS, lambda: None, "after the state was deleted"))


def test_an_older_copy_of_the_state_catches_up(harness: ClusterHarness) -> None:
    cluster = harness.cluster
    stop(harness)
    older = cluster.folder / "older"
    shutil.copytree(cluster.data / "state", older, ignore=shutil.ignore_patterns("bells"))  # of readers: named pipes
    start(harness)
    harness.check(harness.while_writing(SECONDS, lambda: None, "after the copy was made"))
    rejected = cluster.topics.rejected()
    stop(harness)
    after = digests(cluster.topics, cluster.data)
    shutil.rmtree(cluster.data / "state")
    older.rename(cluster.data / "state")
    start(harness)
    cluster.settle()
    stop(harness)
    assert digests(cluster.topics, cluster.data) == after
    assert cluster.topics.rejected() == rejected
    cluster.verify()
    start(harness)
    harness.check(harness.while_writing(SECONDS, lambda: None, "after the copy took the state's place"))
