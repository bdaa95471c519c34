"""A log that is shortened from the front."""

from pathlib import Path

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
