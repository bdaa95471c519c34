"""The optimizer: what it seals, merges and builds, and when."""

import asyncio
import weakref
from pathlib import Path

from projector.segments.manifest import read_manifest
from projector.segments.spec import BuildSpec
from tests.projector.segments.harness import GRAPH_ROWS, SHARD, Harness, folders, run
from tests.projector.segments.samples import COSINE


def test_a_tail_is_sealed_and_then_graphed(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(1000))
        assert not await harness.step()
        assert not harness.optimizer.up_to_date(SHARD)
        harness.tick(6)
        assert await harness.step()
        harness.check()
        assert harness.live.view.tail_rows == 0
        assert folders(harness) == ["manifest", "s000000000001"]
        assert harness.state.dropped == harness.offset
        assert harness.state.flushes == 0
        assert await harness.step(graph=True)
        assert harness.state.flushes == 1
        harness.check()
        assert folders(harness) == ["manifest", "s000000000002"]
        assert harness.graphs == ["s000000000002"]
        assert harness.optimizer.up_to_date(SHARD)
        assert harness.live.view.segments[0].segment.graph(COSINE) is not None
        assert not await harness.step()
        assert not await harness.step(graph=True)
        harness.restart()
        harness.check()

    run(main())


def test_a_sealed_tail_is_freed_before_the_manifest_is_written(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(1000))
        harness.tick(6)
        tail = weakref.ref(harness.live.view.tails[0].tail)
        synced = 0
        plain_sync = harness.state.sync

        async def sync() -> None:
            nonlocal synced
            # The thread that opened the segment may have it a moment longer.
            async with asyncio.timeout(60):
                while tail() is not None:
                    await asyncio.sleep(0.01)
            synced += 1
            await plain_sync()

        harness.state.sync = sync
        assert await harness.step()
        assert synced

    run(main())


def test_deaths_alone_reach_the_manifest(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(100))
        await harness.settle()
        builds = len(harness.builder.specs)
        harness.delete(range(3, 9))
        harness.tick(6)
        assert await harness.step()
        assert not await harness.step()
        assert len(harness.builder.specs) == builds
        manifest = read_manifest(harness.folder)
        assert manifest is not None
        assert manifest.offset == harness.offset
        assert manifest.segments[0].dead_mask().nonzero()[0].tolist() == list(range(3, 9))
        harness.restart()
        harness.check()

    run(main())


def test_deaths_that_a_merge_left_out_reach_the_manifest(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(10))
        harness.tick(6)
        await harness.step()
        harness.delete(range(10))
        # The segment is dead altogether, so it goes at once, before the deaths are due for sealing.
        assert await harness.step()
        assert harness.live.view.segments == ()
        assert harness.published == [(SHARD, 3), (SHARD, 3)]
        assert not await harness.step()
        harness.tick(6)
        assert await harness.step()
        assert harness.published[2:] == [(SHARD, 6)]
        assert harness.state.changed == []
        assert not await harness.step()
        harness.restart()
        harness.check()

    run(main())


def test_a_shard_that_became_empty_has_no_segments(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(2000))
        await harness.settle()
        harness.delete(range(2000))
        await harness.settle()
        harness.check()
        assert harness.live.view.segments == ()
        assert folders(harness) == ["manifest"]
        harness.restart()
        harness.check()

    run(main())


async def graph_under_way(harness: Harness) -> tuple["asyncio.Task[bool]", asyncio.Event]:
    """A build with a graph that has begun, and what lets it go on."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(spec: BuildSpec) -> None:
        if spec.graph:
            begun.set()
            await go_on.wait()

    harness.builder.before = wait
    graph = asyncio.create_task(harness.step(graph=True))
    await begun.wait()
    return graph, go_on


def test_changes_while_a_graph_is_built_are_kept(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(GRAPH_ROWS * 2))
        harness.tick(6)
        assert await harness.step()
        graph, go_on = await graph_under_way(harness)
        harness.upsert(range(100, 200))
        harness.delete(range(150, 250))
        harness.upsert(range(240, 245))
        harness.check()
        harness.tick(6)
        assert await harness.step()
        harness.check()
        harness.delete(range(0, 5))
        harness.upsert(range(5, 10))
        go_on.set()
        assert await graph
        harness.check()
        assert len(harness.graphs) == 1
        harness.restart()
        harness.check()
        await harness.settle()
        harness.check()

    run(main())


def test_what_leaves_the_view_while_a_graph_is_built_is_freed(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(GRAPH_ROWS * 2))
        harness.tick(6)
        assert await harness.step()
        harness.upsert(range(1000, 1100))
        tail = weakref.ref(harness.live.view.tails[0].tail)
        graph, go_on = await graph_under_way(harness)
        harness.tick(6)
        assert await harness.step()
        async with asyncio.timeout(60):
            while tail() is not None:
                await asyncio.sleep(0.01)
        go_on.set()
        assert await graph
        assert len(harness.graphs) == 1
        harness.check()

    run(main())


def test_every_new_manifest_is_told_of(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(GRAPH_ROWS))
        harness.tick(6)
        assert await harness.step()
        assert harness.published == [(SHARD, harness.offset)]
        sealed = harness.offset

        async def change(spec: BuildSpec) -> None:
            harness.upsert([1])

        harness.builder.before = change
        assert await harness.step(graph=True)
        harness.builder.before = None
        manifest = read_manifest(harness.folder)
        assert manifest is not None
        # A merge leaves the offset as it is, and points out that have died since.
        assert (manifest.offset, manifest.usable_from) == (sealed, harness.offset)
        assert harness.published == [(SHARD, sealed)] * 2
        harness.tick(6)
        harness.state.fails = True
        await harness.step()
        assert len(harness.published) == 2
        harness.state.fails = False
        harness.tick(6)
        assert await harness.step()
        assert harness.published[2:] == [(SHARD, harness.offset)]

    run(main())
