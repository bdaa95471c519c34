"""Relaying a partition's outbox: every record is forwarded, once as its home sees it, whatever dies where, in order."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.log import Topic
from tests.projector.worker.relay_cluster import PARTITIONS, Cluster
from tests.support.examples import tries

PRODUCED_TO = (1, 2, 0, 1, 0)
"""Where the producers write the points 0 to 4: some at home there, some not."""


def fill(cluster: Cluster, seed: int = 1, records: int = 14) -> Cluster:
    """Producers that each keep to a partition per point; now and then a bad record."""
    random_one = random.Random(seed)
    for number in range(records):
        point = random_one.randrange(len(PRODUCED_TO))
        # A name always goes the same way: through the fold where it is at home, or else through the router.
        cluster.write(PRODUCED_TO[point], "short" if point == 4 else random_one.choice("ab"), point)
        if number % 5 == 2:
            cluster.put_bad(number % PARTITIONS, {"collection_name": "nowhere", "id": 1, "vector": [1.0]})
        if number % 6 == 1:
            cluster.put_bad(number % PARTITIONS, b'{"not": "a record"')
        if number % 7 == 3:
            cluster.put_bad(number % PARTITIONS, {"collection_name": "short", "id": 1, "vector": [1.0, 2.0]})
    return cluster


def test_everything_arrives(tmp_path: Path) -> None:
    cluster = fill(Cluster(tmp_path), records=60)
    cluster.live()
    cluster.check()
    assert len(cluster.rejected()) == len(cluster.bad), "a bad record was sent twice though nothing died"
    ends = [len(cluster.log.values(Topic.POINTS, partition)) for partition in range(PARTITIONS)]
    assert cluster.progress.offsets == {(Topic.POINTS, partition): end for partition, end in enumerate(ends)}


def test_dies_at_every_step(tmp_path: Path) -> None:
    fatal = 0
    while True:
        fatal += 3
        cluster = fill(Cluster(tmp_path / str(fatal)), records=9)
        if cluster.live(fatal) < fatal:
            return
        cluster.live()
        cluster.check()


@settings(max_examples=tries(15))
@given(data=st.data())
def test_dies_again_and_again(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """States are lost, too; while nothing else is, no rejection is sent that was known to be sent."""
    seed = data.draw(st.integers(0, 1000), "seed")
    cluster = fill(Cluster(tmp_path_factory.mktemp("cluster")), seed, records=20)
    for _ in range(data.draw(st.integers(1, 4), "deaths")):
        cluster.live(data.draw(st.integers(1, 150), "step"))
        for partition in data.draw(st.sets(st.integers(0, PARTITIONS - 1)), "lost"):
            cluster.lose_state(partition)
    cluster.live()
    cluster.check()


def test_a_rebuilt_state_routes_nothing_again(tmp_path: Path) -> None:
    cluster = fill(Cluster(tmp_path), records=40)
    cluster.live()
    sizes = [len(cluster.log.values(Topic.POINTS, partition)) for partition in range(PARTITIONS)]
    sent = cluster.rejected()
    for partition in range(PARTITIONS):
        cluster.lose_state(partition)
    cluster.live()
    cluster.check()
    assert [len(cluster.log.values(Topic.POINTS, partition)) for partition in range(PARTITIONS)] == sizes
    assert cluster.rejected() == sent


def test_without_a_committed_offset_all_is_routed_again(tmp_path: Path) -> None:
    """Homes skip it: the states are what they were."""
    cluster = fill(Cluster(tmp_path), records=40)
    cluster.live()
    size = len(cluster.log.values(Topic.POINTS, 0))
    cluster.progress.offsets.clear()
    cluster.progress.history.clear()
    cluster.lose_state(1)
    cluster.lose_state(2)
    cluster.live()
    cluster.check()
    assert len(cluster.log.values(Topic.POINTS, 0)) > size


def test_an_offset_of_another_log_is_not_believed(tmp_path: Path) -> None:
    cluster = fill(Cluster(tmp_path))
    cluster.progress.offsets = {(Topic.POINTS, partition): 10_000 for partition in range(PARTITIONS)}
    cluster.live()
    cluster.check()


def test_an_alias_that_moves_while_a_record_is_on_its_way(tmp_path: Path) -> None:
    """What was written through an alias is of one collection, though it was forwarded in part and then again."""
    fatal = 1
    while True:
        cluster = Cluster(tmp_path / str(fatal))
        body = {"collection_name": "short", "points": [{"id": i, "vector": [1.0]} for i in range(20)]}
        cluster.put(0, body)
        steps = cluster.live(fatal)
        cluster.catalog.alias("short", "b")
        cluster.live()
        sizes = {name: len(points) for name, points in cluster.points().items()}
        assert sizes in ({"a": 20, "b": 0}, {"a": 0, "b": 20})
        if steps < fatal:
            return
        fatal += 1


def test_everything_was_deleted_before_it_was_forwarded(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    cluster.live()
    lost = cluster.put(0, {"collection_name": "b", "id": 3, "vector": [1.0]})
    cluster.fold_alone(0)
    cluster.log.drop_before(Topic.POINTS, 0, lost + 1)
    cluster.live()
    assert not cluster.points()["b"]
    assert cluster.progress.offsets[Topic.POINTS, 0] == lost + 1


def test_what_was_deleted_before_it_was_forwarded(tmp_path: Path) -> None:
    """It can't be forwarded any more, and holds up nothing else."""
    cluster = Cluster(tmp_path)
    cluster.live()
    lost = cluster.put(0, {"collection_name": "a", "points": [{"id": i, "vector": [1.0]} for i in range(20)]})
    cluster.fold_alone(0)
    cluster.log.drop_before(Topic.POINTS, 0, lost + 1)
    cluster.write(0, "b", 3)
    cluster.live()
    assert cluster.points()["b"].keys() == {3}


def test_what_nobody_told_of(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    cluster.write(0, "b", 3)
    cluster.relay_untold(0)
    assert cluster.log.values(Topic.POINTS, 2)
    cluster.live()
    cluster.check()


def test_a_first_record_that_is_not_at_home_and_was_not_forwarded_yet(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, {0: ("b", 3)})
    cluster.fold_alone(0)
    cluster.live()
    cluster.check()


def test_power_is_lost_at_every_step_and_an_alias_moves(tmp_path: Path) -> None:
    fatal = 0
    while True:
        fatal += 5
        cluster = Cluster(tmp_path / str(fatal))
        for _ in range(4):
            cluster.write(PRODUCED_TO[4], "short", 4)
        ended = cluster.live(fatal) < fatal
        cluster.lose_power()
        cluster.catalog.alias("short", "b")
        cluster.live()
        homes = cluster.forwarded_to()
        assert len(homes) == 4
        assert all(len(uids) == 1 for uids in homes.values()), f"step {fatal}: one record, two collections"
        if ended:
            return
