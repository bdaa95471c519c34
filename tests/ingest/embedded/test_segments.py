"""A partition of several segment files."""

import asyncio
import shutil
from pathlib import Path

import pytest

from ingest.log import LogDamagedError
from tests.ingest.embedded.support import (
    POINTS,
    append_each,
    append_together,
    opened,
    read_all,
    segment_files,
    values_in,
    within,
    write_log,
)

VALUES = [b"%03d" % i * 30 for i in range(20)]
SEGMENT_BYTES = 500


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of several segment files."""
    write_log(tmp_path / "log", VALUES, segment_bytes=SEGMENT_BYTES)
    return tmp_path / "log"


def test_files_are_named_after_their_first_offset_and_filled(folder: Path) -> None:
    files = segment_files(folder)
    assert [int(file.stem) for file in files] == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
    assert {file.stat().st_size for file in files} == {128 + 2 * (48 + 90)}


def test_reading_crosses_files(folder: Path) -> None:
    assert values_in(folder) == VALUES


@pytest.mark.parametrize("offset", range(len(VALUES)))
def test_reading_from_any_offset(folder: Path, offset: int) -> None:
    async def check() -> None:
        async with opened(folder) as log:
            assert (await log.read(POINTS, 0, offset, 1))[0].value == VALUES[offset]

    within(check())


def test_offsets_go_on_after_reopening(folder: Path) -> None:
    async def check() -> None:
        for end in (20, 22, 24):
            async with opened(folder, segment_bytes=SEGMENT_BYTES) as log:
                assert await log.end_offset(POINTS, 0) == end
                assert await append_each(log, [b"more", b"more"]) == [end, end + 1]

    within(check())


def test_a_group_stays_in_one_file(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path, segment_bytes=SEGMENT_BYTES) as log:
            await append_together(log, VALUES)
            await append_together(log, VALUES)
            assert [record.value for record in await read_all(log)] == VALUES * 2
        assert [int(file.stem) for file in segment_files(tmp_path)] == [0, 20]

    within(check())


def test_the_log_starts_at_its_first_file(folder: Path) -> None:
    async def check() -> None:
        for file in segment_files(folder)[:3]:
            file.unlink()
        async with opened(folder) as log:
            assert await log.start_offset(POINTS, 0) == 6
            assert (await log.read(POINTS, 0, 0, 1))[0].offset == 6
            assert [record.value for record in await read_all(log)] == VALUES[6:]

    within(check())


def test_a_missing_file_in_the_middle_is_refused(folder: Path) -> None:
    segment_files(folder)[4].unlink()
    with pytest.raises(LogDamagedError, match=r"file before .*0010\.log, from offset 8, is missing"):
        values_in(folder)


@pytest.mark.parametrize("change", [-1, 1])
def test_an_earlier_file_of_another_size_is_refused(folder: Path, change: int) -> None:
    file = segment_files(folder)[3]
    data = file.read_bytes()
    file.write_bytes(data[:change] if change < 0 else data + b"\0")
    with pytest.raises(LogDamagedError, match=r"0006\.log is damaged at byte 40\d: it has"):
        values_in(folder)


def test_a_folder_without_files_is_refused(folder: Path) -> None:
    shutil.rmtree(folder / "points-0")
    with pytest.raises(LogDamagedError, match="points-0 has no segment files"):
        values_in(folder)


def test_damage_in_an_earlier_file_is_found_by_reading(folder: Path) -> None:
    file = segment_files(folder)[3]
    whole = file.read_bytes()

    async def check() -> None:
        async with opened(folder) as log:
            for position in range(128, len(whole), 7):
                data = bytearray(whole)
                data[position] ^= 1
                file.write_bytes(data)
                with pytest.raises(LogDamagedError, match=r"0006\.log is damaged at byte (128|266)"):
                    await asyncio.gather(log.read(POINTS, 0, 6, 1000))
            file.unlink()
            with pytest.raises(LogDamagedError, match="is gone"):
                await log.read(POINTS, 0, 6, 1000)
            assert (await log.read(POINTS, 0, 8, 1))[0].value == VALUES[8]

    within(check())


def test_a_file_whose_making_was_interrupted_is_made_again(folder: Path) -> None:
    leftover = folder / "points-0" / "00000000000000000020.log.new"
    leftover.write_bytes(b"HWLOG")

    async def check() -> None:
        async with opened(folder, segment_bytes=SEGMENT_BYTES) as log:
            assert not leftover.exists()
            assert await append_each(log, VALUES) == list(range(20, 40))

    within(check())


def test_an_empty_last_file_is_in_order(folder: Path) -> None:
    last = segment_files(folder)[-1]
    last.write_bytes(last.read_bytes()[:128])
    assert values_in(folder) == VALUES[:18]
