"""The optimizer: what it does when, and what it does when something fails."""

import asyncio
import errno
import os
from pathlib import Path

import msgspec
import pytest

from projector.feed.shard_loader import ShardLoader
from projector.frames import ShardId
from projector.quantization.codes import wanted_meta
from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile
from projector.segments.manifest import Manifest, read_manifest
from projector.segments.meta import SEGMENT_FILE, SEGMENT_KIND
from projector.segments.optimizer import FULL_TAILS
from projector.segments.policy import SEAL_ROWS
from projector.segments.shard_files import is_condemned, open_segments
from projector.segments.spec import BuildSpec
from projector.view.live_shard import LiveShard
from schemas.config import HnswConfig, OptimizersConfig
from tests.projector.segments.harness import GRAPH_ROWS, SHARD, Harness, Partition, fail, folders, run
from tests.projector.segments.samples import COSINE, EUCLID, config


def test_a_tail_is_sealed_and_then_graphed(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(1000))
        assert not await harness.step()
        assert not harness.optimizer.up_to_date(SHARD)
        harness.tick(6)
        assert await harness.step()
        harness.check()
        assert harness.live.view.tail.size == 0
        assert folders(harness) == ["manifest", "s000000000001"]
        assert harness.state.dropped == harness.offset
        assert await harness.step(graph=True)
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


def test_changes_while_a_graph_is_built_are_kept(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(GRAPH_ROWS * 2))
        harness.tick(6)
        assert await harness.step()
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def wait(spec: BuildSpec) -> None:
            if spec.graph:
                begun.set()
                await go_on.wait()

        harness.builder.before = wait
        graph = asyncio.create_task(harness.step(graph=True))
        await begun.wait()
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


def test_a_failed_build_is_tried_again_later(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(10))
        harness.tick(6)
        harness.builder.before = fail
        assert await harness.step()
        harness.check()
        assert "no luck" in (harness.optimizer.error(SHARD) or "")
        assert not await harness.step()
        harness.tick(1)
        assert await harness.step()
        harness.tick(1)
        assert not await harness.step()
        harness.builder.before = None
        harness.tick(1)
        assert await harness.step()
        assert harness.live.view.tail.size == 0
        assert harness.optimizer.error(SHARD) is None
        harness.check()

    run(main())


def test_a_shard_whose_manifest_can_not_be_read_now_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(folder: Path) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(folder))

    async def main() -> None:
        with monkeypatch.context() as patch:
            patch.setattr("projector.segments.shard_work.read_manifest", lacking)
            harness = Harness(tmp_path)
            harness.upsert(range(10))
            harness.tick(6)
            assert not await harness.step()
        harness.tick(6)
        assert await harness.step()
        assert harness.live.view.tail.size == 0
        harness.check()

    run(main())


def test_a_manifest_that_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(2000))
        harness.tick(6)
        harness.state.fails = True
        assert await harness.step()
        harness.check()
        assert harness.live.view.tail.size == 0
        assert read_manifest(harness.folder) is None
        assert harness.state.dropped == -1
        harness.state.fails = False
        harness.tick(2)
        assert await harness.step()
        assert harness.state.dropped == harness.offset
        harness.restart()
        harness.check()
        harness.state.fails = True
        harness.tick(100)
        assert await harness.step(graph=True)
        assert folders(harness) == ["manifest", "s000000000001", *harness.graphs]
        harness.state.fails = False
        await harness.settle()
        assert folders(harness) == ["manifest", *harness.graphs]
        harness.restart()
        harness.check()

    run(main())


def _flip_a_vector(folder: Path) -> None:
    path = folder / SEGMENT_FILE
    at = FlatFile(path, SEGMENT_KIND).directory.sections["vectors.0"].offset
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def test_a_segment_that_a_build_finds_damaged_is_rebuilt_from_the_state(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(1000))
        harness.tick(6)
        await harness.step()
        (name,) = harness.plain
        _flip_a_vector(harness.folder / name)
        harness.tick(100)
        assert await harness.step(graph=True)
        assert name in (harness.optimizer.error(SHARD) or "")
        # Should the process end now, the next start takes nothing from that segment.
        with pytest.raises(SegmentDamagedError, match="found damaged"):
            open_segments(harness.folder, read_manifest(harness.folder) or Manifest(-1, 1, []))
        await harness.settle()
        harness.check()
        assert harness.graphs
        assert not (harness.folder / name).exists()
        assert harness.optimizer.error(SHARD) is None
        harness.restart()
        harness.check()

    run(main())


def test_readers_keep_a_damaged_segment_until_what_comes_after_it(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(1000))
        harness.tick(6)
        await harness.step()
        (name,) = harness.plain
        reader = ShardLoader()
        ((before, _),) = reader.load(harness.folder).segments
        _flip_a_vector(harness.folder / name)
        harness.tick(100)
        assert await harness.step(graph=True)
        assert is_condemned(harness.folder / name)
        loaded = reader.load(harness.folder)
        assert loaded.segments[0][0] is before
        # One that has nothing open yet says what is wrong, and waits.
        with pytest.raises(SegmentDamagedError, match=r"vectors\.0"):
            ShardLoader().load(harness.folder)
        harness.upsert(range(2000, 2010))
        await harness.settle()
        assert name not in [segment.name for segment, _ in reader.load(harness.folder).segments]

    run(main())


def test_a_damaged_segment_that_can_not_be_marked_is_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(1000))
        harness.tick(6)
        await harness.step()
        _flip_a_vector(harness.folder / harness.plain[0])
        monkeypatch.setattr(Path, "touch", full)
        harness.tick(100)
        (name,) = harness.plain
        assert await harness.step(graph=True)
        await harness.settle()
        harness.check()
        assert not (harness.folder / name).exists()

    run(main())


def test_a_damaged_graph_is_built_anew(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(1, 1000))
        await harness.settle()
        (name,) = harness.graphs
        path = harness.folder / name / "graph.0.links"
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        harness.restart()
        segment = harness.live.view.segments[0].segment
        assert segment.graph(COSINE) is None
        assert not harness.optimizer.up_to_date(SHARD)
        await harness.settle()
        harness.check()
        assert harness.graphs != [name]
        assert harness.live.view.segments[0].segment.graph(COSINE) is not None

    run(main())


def test_other_graph_parameters_build_graphs_anew(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(1, 1000))
        await harness.settle()
        before = harness.graphs
        changed = config(hnsw=HnswConfig(m=8), optimizers=OptimizersConfig(indexing_threshold=1))
        harness.live.reconfigure(changed, harness.offset)
        harness.live.publish(harness.offset)
        await harness.settle()
        assert harness.graphs != before
        assert [v.graph.m for v in harness.live.view.segments[0].segment.meta.vectors if v.graph] == [8, 8]
        without = config(hnsw=HnswConfig(m=0), optimizers=OptimizersConfig(indexing_threshold=1))
        harness.live.reconfigure(without, harness.offset)
        harness.live.publish(harness.offset)
        await harness.settle()
        assert harness.graphs == []
        harness.check()

    run(main())


def test_other_quantization_makes_codes_anew(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(1, 1000))
        await harness.settle()
        for settings in ({"scalar": {"type": "int8"}}, {"scalar": {"type": "int8", "always_ram": True}}, None):
            before = harness.graphs
            assert harness.optimizer.up_to_date(SHARD)
            changed = msgspec.structs.replace(harness.live.view.config, quantization=settings)
            harness.live.reconfigure(changed, harness.offset)
            harness.live.publish(harness.offset)
            assert not harness.optimizer.up_to_date(SHARD)
            await harness.settle()
            assert harness.graphs != before
            segment = harness.live.view.segments[0].segment
            assert [v.quantized for v in segment.meta.vectors] == [wanted_meta(changed, n) for n in (COSINE, EUCLID)]
            assert (segment.meta.vectors[0].quantized is not None) == (settings is not None)
            for name in (COSINE, EUCLID):
                graph = segment.graph(name)
                assert graph is not None
                assert (graph.codes is not None) == (settings is not None)
            harness.check()

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


def test_the_fold_waits_for_a_full_tail_unless_sealing_fails(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        await harness.optimizer.room(0).wait()
        harness.optimizer.add(1, harness.state, Partition(tmp_path), harness.partition)
        rows = FULL_TAILS * SEAL_ROWS
        for start in range(0, rows, SEAL_ROWS):
            harness.live.apply(range(start, start + SEAL_ROWS), [b"\0" * 9] * SEAL_ROWS, 1)  # pyright: ignore[reportArgumentType]
        harness.live.publish(1)
        harness.optimizer.observe()
        waiting = asyncio.create_task(harness.optimizer.room(0).wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        await harness.optimizer.room(1).wait()
        harness.builder.before = fail
        await harness.step()
        harness.optimizer.observe()
        await waiting
        harness.builder.before = None
        harness.tick(2)
        await harness.step()
        assert harness.live.view.tail.size == 0
        await harness.optimizer.room(0).wait()

    run(main())


def test_a_fold_that_waits_goes_on_when_its_partition_is_given_up(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        rows = FULL_TAILS * SEAL_ROWS
        harness.live.apply(range(rows), [b"\0" * 9] * rows, 1)  # pyright: ignore[reportArgumentType]
        harness.live.publish(1)
        harness.optimizer.observe()
        waiting = asyncio.create_task(harness.optimizer.room(0).wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        harness.optimizer.remove(0)
        await waiting

    run(main())


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
            while harness.live.view.tail.size:
                await asyncio.sleep(0.01)
        harness.check()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

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
