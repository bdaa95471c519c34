"""The optimizer's partitions and shards: those that come and those that go."""

import asyncio
from pathlib import Path

import pytest

from projector.frames import ShardId
from projector.segments.spec import BuildSpec
from projector.view.live_shard import LiveShard
from tests.projector.segments.harness import GRAPH_ROWS, SHARD, Harness, folders, run


def test_it_runs_until_cancelled_and_finds_new_shards(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        task = asyncio.create_task(harness.optimizer.run())
        other = ShardId(9, 1)
        live = LiveShard(other, harness.config, [], 0)
        harness.partition.shards[other] = live
        harness.upsert(range(20))
        harness.tick(6)
        async with asyncio.timeout(60):
            while harness.live.view.tail_rows:
                await asyncio.sleep(0.01)
        harness.check()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_at_rest_what_builds_is_let_go_once_nothing_of_its_kind_is_due(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        turns = 0
        graphs_due = True
        plain_step = harness.optimizer.step

        async def step(*, graph: bool) -> bool:
            nonlocal turns
            turns += not graph
            if graph and graphs_due:
                await asyncio.sleep(0)
                return True
            return await plain_step(graph=graph)

        harness.optimizer.step = step
        harness.upsert(range(20))
        harness.tick(2)
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            task = group.create_task(harness.optimizer.run())
            while turns < 2:
                await asyncio.sleep(0.01)
            assert not harness.builder.let_goes
            harness.tick(4)
            while not harness.builder.let_goes:
                await asyncio.sleep(0.01)
            assert set(harness.builder.let_goes) == {False}
            graphs_due = False
            while True not in harness.builder.let_goes:
                await asyncio.sleep(0.01)
            assert not harness.live.view.tail_rows
            task.cancel()

    run(main())


def test_a_closed_shard_is_forgotten_even_while_it_is_built(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(10))
        harness.tick(6)

        async def close(spec: BuildSpec) -> None:
            del harness.partition.shards[SHARD]

        harness.builder.before = close
        assert await harness.step()
        harness.optimizer.observe()
        assert not harness.folder.exists()
        assert harness.optimizer.up_to_date(SHARD)
        assert not await harness.step()

    run(main())


def test_a_partition_given_up_keeps_its_files(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(10))
        await harness.settle()
        before = folders(harness)
        harness.optimizer.remove(0)
        harness.partition.shards.clear()
        harness.optimizer.observe()
        assert folders(harness) == before

    run(main())


def test_a_partition_released_while_it_is_built_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(GRAPH_ROWS))
        harness.tick(6)
        started, never = asyncio.Event(), asyncio.Event()

        async def before(spec: BuildSpec) -> None:
            started.set()
            await never.wait()

        harness.builder.before = before
        building = asyncio.create_task(harness.step())
        await started.wait()
        await harness.optimizer.release(0)
        assert not [name for name in folders(harness) if name != "manifest"], "nothing of the build is left"
        await building
        await harness.optimizer.release(0)
        assert not await harness.optimizer.step(graph=False)

    run(main())
