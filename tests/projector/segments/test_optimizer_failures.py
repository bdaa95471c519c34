"""What the optimizer does when a build, or reading or writing a manifest, fails."""

import errno
import os
from pathlib import Path

import pytest

from projector.segments.manifest import read_manifest
from tests.projector.segments.harness import SHARD, Harness, fail, folders, run


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
        assert harness.live.view.tail_rows == 0
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
        assert harness.live.view.tail_rows == 0
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
        assert harness.live.view.tail_rows == 0
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
