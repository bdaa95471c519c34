"""A feed between real processes, with writers and readers that are killed."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

from projector.feed import FeedBrokenError, FeedReader
from projector.frames import Changes, Frame

ROOT = Path(__file__).parents[3]
KILLS = 6


def _start(folder: Path, state: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.projector.feed.writer_process", str(folder), str(state)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    _, errors = process.communicate()
    assert errors == b""


def _applied(state: Path) -> int:
    return int.from_bytes(state.read_bytes(), "big") - 1


class _Follower:
    """Reads as an api does: on a break it loads the segments anew, which stand where the feed begins at the latest."""

    def __init__(self, folder: Path) -> None:
        self.reader = FeedReader(folder, read_bytes=3000)
        self.visible = -1
        self.generations: set[int] = set()

    async def until(self, offset: int) -> None:
        """Follow until ``offset`` is visible."""
        while self.visible < offset:
            try:
                await self._follow(offset)
            except FeedBrokenError:
                await self.reader.wait()

    async def _follow(self, offset: int) -> None:
        try:
            header = self.reader.open(self.visible)
        except FeedBrokenError:
            # What a reader too far behind finds in the segments.
            header = self.reader.open(1 << 62)
            self.visible = header.after
            self.reader.open(self.visible)
        self.generations.add(header.generation)
        while self.visible < offset:
            frames = self.reader.read()
            for frame in frames:
                self._take(frame)
            if not frames:
                await self.reader.wait()

    def _take(self, frame: Frame) -> None:
        assert frame.offset == self.visible + 1
        (event,) = frame.events
        assert isinstance(event, Changes)
        assert event.points == [(b"%010d" % frame.sequence) * (1 + frame.offset % 50 // 10)]
        self.visible = frame.offset


def test_a_reader_follows_a_writer_that_is_killed_again_and_again(tmp_path: Path) -> None:
    feed, state = tmp_path / "feed", tmp_path / "applied"
    seed = random.Random(7)

    async def main() -> None:
        follower = _Follower(feed)
        for _ in range(KILLS):
            writer = _start(feed, state)
            try:
                await follower.until(follower.visible + seed.randrange(500, 3000))
            finally:
                _kill(writer)
        # All that was applied is in the feed, but for the one frame that a kill may have come before.
        await follower.until(_applied(state) - 1)
        assert len(follower.generations) == KILLS
        follower.reader.close()

    asyncio.run(main())


def test_readers_that_are_killed_leave_nothing_behind(tmp_path: Path) -> None:
    feed, state = tmp_path / "feed", tmp_path / "applied"
    code = (
        "import asyncio, sys, pathlib\n"
        "from projector.feed import FeedReader\n"
        "reader = FeedReader(pathlib.Path(sys.argv[1]))\n"
        "print('ready', flush=True)\n"
        "asyncio.run(asyncio.sleep(600))\n"
    )

    async def main() -> None:
        writer = _start(feed, state)
        follower = _Follower(feed)
        try:
            await follower.until(100)
            other = subprocess.Popen([sys.executable, "-c", code, str(feed)], cwd=ROOT, stdout=subprocess.PIPE)
            assert other.stdout is not None
            assert other.stdout.readline() == b"ready\n"
            assert len(list((feed / "bells").iterdir())) == 2
            other.kill()
            other.communicate()
            await follower.until(_applied(state) + 2)
        finally:
            _kill(writer)
        assert [bell.name.split("-")[0] for bell in (feed / "bells").iterdir()] == [str(os.getpid())]
        follower.reader.close()

    asyncio.run(main())
