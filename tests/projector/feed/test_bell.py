"""Bells: a ring is never lost, and those of dead readers are taken down."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from projector.feed.bell import Bell, Ringer
from projector.feed.errors import FeedBrokenError, NoFeedError
from projector.feed.reader import FeedReader
from tests.projector.feed.sample import SOURCE, start

FOR_EVER = 600.0


def test_a_ring_before_the_wait_ends_it(tmp_path: Path) -> None:
    async def main() -> None:
        bell, ringer = Bell(tmp_path), Ringer(tmp_path)
        ringer.ring()
        ringer.ring()
        await bell.wait(FOR_EVER)
        waiting = asyncio.create_task(bell.wait(FOR_EVER))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        ringer.ring()
        await waiting
        bell.close()
        ringer.close()

    asyncio.run(main())


def test_every_reader_is_rung(tmp_path: Path) -> None:
    async def main() -> None:
        ringer = Ringer(tmp_path)
        bells = [Bell(tmp_path) for _ in range(5)]
        waits = [asyncio.create_task(bell.wait(FOR_EVER)) for bell in bells]
        await asyncio.sleep(0)
        ringer.ring()
        await asyncio.gather(*waits)
        for bell in bells:
            bell.close()
        ringer.ring()
        ringer.close()
        assert list(tmp_path.iterdir()) == []

    asyncio.run(main())


def test_without_a_ring_the_wait_ends_in_time(tmp_path: Path) -> None:
    async def main() -> None:
        bell = Bell(tmp_path)
        await bell.wait(0.01)
        bell.close()

    asyncio.run(main())


def test_a_reader_that_never_listens_blocks_nobody(tmp_path: Path) -> None:
    bell, ringer = Bell(tmp_path), Ringer(tmp_path)
    for _ in range(70_000):
        ringer.ring()
    asyncio.run(bell.wait(FOR_EVER))
    bell.close()
    ringer.close()


def test_bells_of_dead_readers_are_removed(tmp_path: Path) -> None:
    ringer = Ringer(tmp_path)
    os.mkfifo(tmp_path / "dead before it was rung")
    child = os.fork()
    if child == 0:
        Bell(tmp_path)
        os._exit(0)
    os.waitpid(child, 0)
    alive = Bell(tmp_path)
    ringer.ring()
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == [str(os.getpid())]
    alive.close()
    ringer.close()


def test_a_bell_that_goes_silent_after_it_was_rung_is_removed(tmp_path: Path) -> None:
    ringer = Ringer(tmp_path)
    reader = os.open(_pipe(tmp_path / "reader"), os.O_RDONLY | os.O_NONBLOCK)
    ringer.ring()
    assert os.read(reader, 10) == b"\x07"
    os.close(reader)
    ringer.ring()
    assert list(tmp_path.iterdir()) == []
    ringer.close()


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def test_bells_that_come_and_go_are_noticed(tmp_path: Path) -> None:
    async def main() -> None:
        ringer = Ringer(tmp_path)
        for _ in range(20):
            bell = Bell(tmp_path)
            ringer.ring()
            await bell.wait(FOR_EVER)
            other = Bell(tmp_path)
            # A folder that did not change for a while is not listed again.
            settled = os.stat(tmp_path).st_mtime_ns - 10**10
            os.utime(tmp_path, ns=(settled, settled))
            ringer.ring()
            await other.wait(FOR_EVER)
            ringer.ring()
            await bell.wait(FOR_EVER)
            bell.close()
            other.close()
        ringer.close()

    asyncio.run(main())


def test_a_reader_wakes_for_a_frame_and_for_a_generation(tmp_path: Path) -> None:
    async def main() -> None:
        with FeedReader(tmp_path / "feed", SOURCE) as reader:
            await reader.wait()
            assert not (tmp_path / "feed").exists()
            with start(tmp_path / "feed") as writer:
                await reader.wait()
                reader.open()
                waiting = asyncio.create_task(reader.wait())
                await asyncio.sleep(0)
                writer.write([b"a"])
                await waiting
                assert len(reader.read()) == 1
                waiting = asyncio.create_task(reader.next())
                await asyncio.sleep(0)
                start(tmp_path / "feed").close()
                with pytest.raises(FeedBrokenError):
                    await waiting

    asyncio.run(main())


def test_a_bell_is_hung_up_again_in_a_folder_made_anew(tmp_path: Path) -> None:
    async def main() -> None:
        with FeedReader(tmp_path / "feed", SOURCE) as reader:
            start(tmp_path / "feed").close()
            reader.open()
            shutil.rmtree(tmp_path / "feed")
            with start(tmp_path / "feed") as writer:
                reader.open()
                waiting = asyncio.create_task(reader.next())
                await asyncio.sleep(0)
                writer.write([b"a"])
                assert len(await waiting) == 1
                assert len(list((tmp_path / "feed" / "bells").iterdir())) == 1

    asyncio.run(main())


def test_a_reader_is_rung_in_the_folder_that_took_the_place_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "feed"

    async def main() -> None:
        with FeedReader(folder, SOURCE) as reader:
            start(folder).close()
            reader.open()
            folder.rename(tmp_path / "old")
            with pytest.raises(NoFeedError):
                reader.open()
            assert not folder.exists(), "whoever moves folders would find one in the way"
            with start(folder) as writer:
                reader.open()
                waiting = asyncio.create_task(reader.wait())
                await asyncio.sleep(0)
                assert len(list((folder / "bells").iterdir())) == 1
                writer.write([b"a"])
                await waiting
                assert len(reader.read()) == 1

    asyncio.run(main())


def test_a_reader_without_bells_looks_again(tmp_path: Path) -> None:
    async def main() -> None:
        with FeedReader(tmp_path, SOURCE) as reader, start(tmp_path) as writer:
            reader.open()
            await reader.wait()
            for bell in (tmp_path / "bells").iterdir():
                bell.unlink()
            writer.write([b"a"])
            assert len(await reader.next()) == 1

    asyncio.run(main())
