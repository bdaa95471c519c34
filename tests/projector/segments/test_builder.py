"""The builder process: it builds, survives its own death, and does not survive its parent's."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import uvloop

from projector.segments.builder import SegmentBuilder
from projector.segments.errors import BuildFailedError, SegmentDamagedError
from projector.segments.reader import Segment
from projector.segments.spec import BuildSpec
from projector.segments.worker import NICENESS
from schemas.config import HnswConfig
from schemas.ids import PointId
from tests.projector.segments.samples import COSINE, build, config, samples, segment_of, spec, spill

SLOW = config(hnsw=HnswConfig(m=64, ef_construct=2000))
DEADLINE_SECONDS = 60.0
ROOT = Path(__file__).parents[3]


def slow_spec(folder: Path) -> BuildSpec:
    """A build that takes several seconds."""
    source = spill(folder / "slow.spill", samples([PointId(i) for i in range(12_000)]))
    return spec(folder / "slow", [source], graph=True, configuration=SLOW)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] not in "ZX" if Path("/proc/self").exists() else True
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while runs(pid):
        assert time.monotonic() < deadline, f"process {pid} goes on"
        time.sleep(0.02)


def test_it_builds_and_reports_progress(tmp_path: Path) -> None:
    points = samples([PointId(i) for i in range(1, 5000)])
    wanted = spec(tmp_path / "s", [spill(tmp_path / "x", points)], graph=True)
    seen: list[float] = []

    async def run() -> None:
        builder = SegmentBuilder()
        result = await builder.build(wanted, seen.append)
        assert result.slots == len(points)
        await builder.close()

    asyncio.run(run())
    segment = Segment.open(tmp_path / "s")
    assert segment.graph(COSINE) is not None
    assert segment.bytes_on_disk() == sum(p.stat().st_size for p in (tmp_path / "s").iterdir())
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize(("graph", "of_sessions"), [(True, NICENESS), (False, 0)])
def test_it_gives_way_to_its_parent(tmp_path: Path, graph: bool, of_sessions: int) -> None:
    small = spec(tmp_path / "small", [spill(tmp_path / "x", samples([PointId(1)]))], graph=graph)

    async def run() -> None:
        builder = SegmentBuilder()
        await builder.build(small)
        (pid,) = builder.pids
        assert os.getpriority(os.PRIO_PROCESS, pid) >= NICENESS
        session = Path(f"/proc/{pid}/autogroup")
        said = session.read_text() if session.exists() else ""
        assert f"nice {of_sessions}\n" in said or "nice" not in said
        await builder.close()

    asyncio.run(run())


def test_a_seal_does_not_wait_for_a_graph(tmp_path: Path) -> None:
    small = spec(tmp_path / "small", [spill(tmp_path / "x", samples([PointId(1)]))])

    async def run() -> None:
        builder = SegmentBuilder()
        begun = asyncio.Event()
        graph = asyncio.create_task(builder.build(slow_spec(tmp_path), lambda _: begun.set()))
        await begun.wait()
        await builder.build(small)
        assert not graph.done()
        assert len(builder.pids) == 2
        graph.cancel()
        with pytest.raises(asyncio.CancelledError):
            await graph
        assert len(builder.pids) == 1
        await builder.close()
        assert builder.pids == []

    asyncio.run(run())
    assert Segment.open(tmp_path / "small").size == 1
    assert not (tmp_path / "slow").exists()


def test_the_reason_is_told_why_no_process_can_be_started(tmp_path: Path) -> None:
    wanted = spec(tmp_path / "s", [spill(tmp_path / "x", samples([PointId(1)]))])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def run() -> None:
        builder = SegmentBuilder()
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")), hard))
            with pytest.raises(BuildFailedError, match="Too many open files"):
                await builder.build(wanted)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        await builder.build(wanted)
        await builder.close()

    uvloop.run(run())


def test_a_crash_is_an_error_and_the_next_build_works(tmp_path: Path) -> None:
    wanted = slow_spec(tmp_path)

    async def run() -> None:
        builder = SegmentBuilder()

        def kill(_: float) -> None:
            for pid in builder.pids:
                with suppress(ProcessLookupError):  # what it said before it died is still heard
                    os.kill(pid, signal.SIGKILL)

        with pytest.raises(BuildFailedError, match="ended with code -9"):
            await builder.build(wanted, kill)
        assert not Path(wanted.target).exists()
        assert Path(wanted.target + ".tmp").exists()
        plain = spec(Path(wanted.target), wanted.spills)
        assert (await builder.build(plain)).slots == 12_000
        os.kill(builder.pids[0], signal.SIGKILL)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while builder.pids:
                await asyncio.sleep(0.01)
        again = spec(tmp_path / "again", wanted.spills)
        assert (await builder.build(again)).slots == 12_000
        await builder.close()

    asyncio.run(run())


def test_failures_are_told_apart(tmp_path: Path) -> None:
    points = samples([PointId(i) for i in range(100)])
    segment = segment_of(tmp_path / "a", points)
    path = tmp_path / "a" / "segment.flat"
    path.write_bytes(path.read_bytes()[:-1])

    async def run() -> None:
        builder = SegmentBuilder()
        with pytest.raises(SegmentDamagedError) as caught:
            await builder.build(spec(tmp_path / "t", segments=[(segment, [])]))
        assert caught.value.folder == str(tmp_path / "a")
        twice = [spill(tmp_path / f"x{i}", points) for i in range(2)]
        with pytest.raises(BuildFailedError, match="same point"):
            await builder.build(spec(tmp_path / "t", twice))
        with pytest.raises(BuildFailedError, match="No such file"):
            await builder.build(spec(tmp_path / "nowhere" / "t", twice[:1]))
        assert (await builder.build(spec(tmp_path / "t", twice[:1]))).slots == 100
        await builder.close()
        with pytest.raises(BuildFailedError, match="closed"):
            await builder.build(spec(tmp_path / "u", twice[:1]))

    asyncio.run(run())


def test_an_idle_process_ends(tmp_path: Path) -> None:
    async def run() -> None:
        builder = SegmentBuilder(idle_seconds=0.05)
        source = spill(tmp_path / "x", samples([PointId(1)]))
        await builder.build(spec(tmp_path / "a", [source]))
        (pid,) = builder.pids
        await asyncio.to_thread(wait_until_gone, pid)
        assert builder.pids == []
        await builder.build(spec(tmp_path / "b", [source]))
        await builder.close()

    asyncio.run(run())


def test_a_process_that_is_let_go_ends_unless_it_works(tmp_path: Path) -> None:
    async def run() -> None:
        builder = SegmentBuilder()
        builder.let_go(graph=False)
        source = spill(tmp_path / "x", samples([PointId(1)]))
        build = asyncio.create_task(builder.build(spec(tmp_path / "a", [source])))
        async with asyncio.timeout(60):
            while not builder.pids:
                await asyncio.sleep(0.01)
        builder.let_go(graph=False)
        await build
        (pid,) = builder.pids
        builder.let_go(graph=True)
        assert builder.pids == [pid]
        builder.let_go(graph=False)
        await asyncio.to_thread(wait_until_gone, pid)
        assert builder.pids == []
        await builder.build(spec(tmp_path / "b", [source]))
        await builder.close()

    asyncio.run(run())


PARENT = """
import asyncio, sys
from pathlib import Path
from projector.segments.builder import SegmentBuilder
from tests.projector.segments.test_builder import slow_spec

async def run():
    builder = SegmentBuilder()
    wanted = slow_spec(Path(sys.argv[1]))
    await builder.build(wanted, lambda _: print(builder.pids[0], flush=True))

asyncio.run(run())
"""


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert runs(pid)
    parent.kill()
    parent.wait()
    wait_until_gone(pid)
    assert not (tmp_path / "slow").exists()


def test_what_a_crash_left_is_built_over(tmp_path: Path) -> None:
    (tmp_path / "s.tmp").mkdir()
    (tmp_path / "s.tmp" / "segment.flat").write_bytes(b"half")
    segment = build(spec(tmp_path / "s", [spill(tmp_path / "x", samples([PointId(4)]))]))
    assert segment.size == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s", "x"]
