"""A log that is shortened from the front."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ingest.embedded.support import POINTS, append_each, opened, read_all, segment_files, within

VALUES = [b"%03d" % i * 30 for i in range(20)]


def test_whole_files_go(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path, segment_bytes=500) as log:
            await append_each(log, VALUES)
            assert await log.delete_before(POINTS, 0, 7) == 6
            assert [record.offset for record in await read_all(log)] == list(range(6, 20))
            assert await log.delete_before(POINTS, 0, 3) == 6
            assert (await log.read(POINTS, 0, 0, 1))[0].offset == 6
        async with opened(tmp_path, segment_bytes=500) as log:
            assert await log.start_offset(POINTS, 0) == 6
            assert [record.value for record in await read_all(log)] == VALUES[6:]

    within(check())


def test_the_last_file_goes_where_all_of_it_is_to(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path, recent_bytes=0) as log:
            await append_each(log, VALUES)
            assert await log.delete_before(POINTS, 0, 19) == 0
            assert await log.delete_before(POINTS, 0, 20) == 20
            assert await log.end_offset(POINTS, 0) == 20
            assert [int(file.stem) for file in segment_files(tmp_path)] == [20]
            assert await log.read(POINTS, 0, 0, 1000) == []
            assert await append_each(log, [b"next"]) == [20]
        async with opened(tmp_path) as log:
            assert (await log.start_offset(POINTS, 0), await log.end_offset(POINTS, 0)) == (20, 21)
            assert [record.value for record in await read_all(log)] == [b"next"]

    within(check())


def test_what_comes_after_a_roll_is_kept(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path) as log:
            await append_each(log, VALUES)
            await log.roll(POINTS, 0)
            await append_each(log, [b"later"])
            await log.roll(POINTS, 0)
            await log.roll(POINTS, 0)
            assert await log.delete_before(POINTS, 0, 20) == 20
            assert [record.value for record in await read_all(log)] == [b"later"]

    within(check())


def test_a_reader_in_another_process_goes_on(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path, segment_bytes=500) as log:
            await append_each(log, VALUES)
            async with opened(tmp_path, read_only=True) as reader:
                await log.delete_before(POINTS, 0, 8)
                assert (await reader.read(POINTS, 0, 1, 1))[0].offset == 8
                assert await reader.start_offset(POINTS, 0) == 8

    within(check())


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("deleted", range(7))
def test_interrupted_after_any_file_it_is_a_log_that_begins_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deleted: int
) -> None:
    async def check() -> None:
        async with opened(tmp_path, segment_bytes=500) as log:
            await append_each(log, VALUES)
        starts = [int(file.stem) for file in segment_files(tmp_path)]
        assert len(starts) > 7
        left, unlink = [deleted], Path.unlink

        def unlink_some(path: Path, missing_ok: bool = False) -> None:
            if path.suffix == ".log":
                if not left[0]:
                    raise Killed
                left[0] -= 1
            unlink(path, missing_ok=missing_ok)

        async with opened(tmp_path, segment_bytes=500) as log:
            with monkeypatch.context() as patch:
                patch.setattr(Path, "unlink", unlink_some)
                with pytest.raises(Killed):
                    await log.delete_before(POINTS, 0, 20)
        async with opened(tmp_path, segment_bytes=500) as log:
            assert await log.start_offset(POINTS, 0) == starts[deleted]
            assert [record.value for record in await read_all(log)] == VALUES[starts[deleted] :]
            assert await append_each(log, [b"next"]) == [20]

    within(check())


SHORTENER = """
import asyncio, sys
from pathlib import Path
from ingest.embedded import EmbeddedLog
from ingest.log import Topic

async def main():
    log = await EmbeddedLog.open(Path(sys.argv[1]), segment_bytes=2_000)
    while True:
        offsets = await asyncio.gather(*[log.append(Topic.POINTS, 0, bytes(200)) for _ in range(20)])
        sys.stdout.write(f"{offsets[-1]} {offsets[0]}\\n")
        sys.stdout.flush()
        await log.delete_before(Topic.POINTS, 0, offsets[0])

asyncio.run(main())
"""


@pytest.mark.crash
def test_killed_while_it_is_shortened_it_keeps_what_was_not_to_go(tmp_path: Path) -> None:
    for number in range(5):
        with subprocess.Popen([sys.executable, "-c", SHORTENER, str(tmp_path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            try:
                lines = [child.stdout.readline() for _ in range(3 + 4 * number)]
            finally:
                child.send_signal(signal.SIGKILL)
            lines += child.stdout.read().splitlines()
        last, cut = map(int, lines[-1].split())

        async def check(last: int = last, cut: int = cut) -> None:
            async with opened(tmp_path) as log:
                assert 0 < await log.start_offset(POINTS, 0) <= cut
                offsets = [record.offset for record in await read_all(log)]
                assert offsets == list(range(await log.start_offset(POINTS, 0), await log.end_offset(POINTS, 0)))
                assert offsets[-1] >= last

        within(check())
