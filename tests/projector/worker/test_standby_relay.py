"""A group that doesn't route keeps what is to be routed, and may be the one to go on with that."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ingest.log import LogUnavailableError, Topic
from projector.state import kept_outcomes
from projector.state.store import PartitionState
from projector.worker.partition_runner import PartitionRunner, ignore_frame
from projector.worker.replay import replay_partition
from projector.worker.router_offsets import RouterOffsets
from projector.worker.standby_relay import StandbyRelay, StandbyResources
from tests.projector.worker.relay_cluster import GROUP, PARTITIONS, Cluster, MemoryProgress
from tests.projector.worker.support import until
from tests.projector.worker.test_outbox_relay import fill


def stand_by(
    cluster: Cluster,
    partition: int,
    then: Callable[[PartitionState, StandbyRelay], Awaitable[None]] | None = None,
) -> None:
    """Fold all there is of a partition, as a group does that doesn't route."""

    async def work() -> None:
        state = PartitionState.open(cluster.folder / str(partition), "memory")
        async with asyncio.TaskGroup() as group:
            shared = StandbyResources(
                RouterOffsets(cluster.log, cluster.progress, GROUP), group.create_task, look_seconds=0
            )
            standby = await StandbyRelay.open(shared, partition, state)
            runner = PartitionRunner(
                cluster.log, partition, state, ignore_frame, reject=standby.reject, to_relay=standby.to_relay
            )
            await runner.catch_up(await cluster.log.end_offset(Topic.POINTS, partition))
            if then is not None:
                await then(state, standby)
            await standby.close()
        state.close()

    asyncio.run(asyncio.wait_for(work(), 60))


def replayed(cluster: Cluster, partition: int) -> None:
    """What ``headwater replay`` makes of a partition, in its state's place."""
    routed = cluster.progress.offsets.get((Topic.POINTS, partition), 0)
    end = len(cluster.log.values(Topic.POINTS, partition))
    folder = cluster.folder / str(partition)
    asyncio.run(replay_partition(cluster.log, partition, folder, end, lambda applied: None, routed=routed))


@pytest.mark.parametrize("fold", [stand_by, replayed])
@pytest.mark.parametrize("before", [0, 25])
def test_it_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fold: Callable[[Cluster, int], None], before: int
) -> None:
    """Nothing is lost, though another group routed up to where it died, and rejections are long past."""
    monkeypatch.setattr(kept_outcomes, "KEPT_OUTCOMES", 3)
    cluster = fill(Cluster(tmp_path), records=before)
    if before:
        cluster.live(120)
        for partition in range(PARTITIONS):
            cluster.lose_state(partition)
    fill(cluster, seed=2, records=40)
    for partition in range(PARTITIONS):
        fold(cluster, partition)
    cluster.live()
    cluster.check()


def test_what_was_dealt_with_is_let_go(tmp_path: Path) -> None:
    cluster = fill(Cluster(tmp_path), records=40)
    place = (Topic.POINTS, 0)

    async def then(state: PartitionState, standby: StandbyRelay) -> None:
        kept = [offset for offset, _ in state.outbox(0)]
        assert len(kept) > 2
        cluster.progress.offsets[place] = kept[1]
        await until(lambda: [offset for offset, _ in state.outbox(0)] == kept[1:])
        assert [standby.to_relay(offset) for offset in (kept[1] - 1, kept[1])] == [False, True]
        cluster.progress.offsets[place] = 0  # the router never goes back
        cluster.progress.history.clear()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not standby.to_relay(kept[1] - 1)

    stand_by(cluster, 0, then)


def test_how_far_the_router_is_may_not_be_known_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = fill(Cluster(tmp_path), records=40)
    asked = 0

    async def committed(progress: MemoryProgress, group: str) -> dict[tuple[Topic, int], int]:
        nonlocal asked
        asked += 1
        if asked % 2:
            raise LogUnavailableError("not now")
        return dict(progress.offsets)

    async def then(state: PartitionState, standby: StandbyRelay) -> None:
        cluster.progress.offsets[Topic.POINTS, 0] = state.applied + 1
        await until(lambda: state.outbox(0) == [])

    monkeypatch.setattr(MemoryProgress, "committed", committed)
    stand_by(cluster, 0, then)
    assert asked > 3
