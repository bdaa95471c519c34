"""What the optimizer does about files that are damaged."""

import errno
from pathlib import Path

import pytest

from projector.feed.shard_loader import ShardLoader
from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile
from projector.segments.manifest import Manifest, read_manifest
from projector.segments.meta import SEGMENT_FILE, SEGMENT_KIND
from projector.segments.shard_files import is_condemned, open_segments
from tests.projector.segments.harness import SHARD, Harness, run
from tests.projector.segments.samples import COSINE


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
