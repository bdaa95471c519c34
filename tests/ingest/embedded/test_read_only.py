"""Reading a log that another process may be writing."""

import asyncio
import io
import shutil
from pathlib import Path

import pytest

from ingest.embedded import EmbeddedLog
from ingest.log import LogDamagedError, LogUnavailableError
from tests.ingest.embedded.support import (
    POINTS,
    append_each,
    append_together,
    opened,
    read_all,
    segment_files,
    within,
    write_log,
)


def contents(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_it_reads_what_is_there_and_changes_nothing(tmp_path: Path) -> None:
    write_log(tmp_path, [b"a", b"b", b"c"])
    file = segment_files(tmp_path)[0]
    file.write_bytes(file.read_bytes()[:-1])
    (tmp_path / "points-0" / "00000000000000000003.log.new").touch()
    before = contents(tmp_path)

    async def check() -> None:
        async with opened(tmp_path, 7, read_only=True) as log:
            assert [record.value for record in await read_all(log)] == [b"a", b"b"]
            assert log.partitions(POINTS) == 1
            with pytest.raises(io.UnsupportedOperation, match="read-only"):
                await log.append(POINTS, 0, b"x")

    within(check())
    assert contents(tmp_path) == before


def test_it_needs_no_lock_and_follows_the_writer(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path, segment_bytes=500) as writer, opened(tmp_path, read_only=True) as reader:
            assert reader.identity == writer.identity
            for count in range(1, 15):
                wait = asyncio.create_task(reader.wait(POINTS, 0, count * 2 - 1))
                await append_each(writer, [b"%d" % count * 40])
                await append_together(writer, [b"+" * count])
                await asyncio.gather(wait, reader.refresh(), reader.refresh())
                assert await reader.end_offset(POINTS, 0) == count * 2
                assert await read_all(reader) == await read_all(writer)
            assert len(segment_files(tmp_path)) > 2

    within(check())


def test_it_goes_on_behind_a_record_that_was_half_written(tmp_path: Path) -> None:
    write_log(tmp_path / "log", [b"a", b"b", b"c"])
    file = segment_files(tmp_path / "log")[0]
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])

    async def check() -> None:
        async with opened(tmp_path / "log", read_only=True) as log:
            for size, end in ((-10, 2), (-1, 2), (len(whole), 3)):
                file.write_bytes(whole[:size])
                await log.refresh()
                assert await log.end_offset(POINTS, 0) == end
            assert [record.value for record in await read_all(log)] == [b"a", b"b", b"c"]

    within(check())


def test_it_refuses_damage(tmp_path: Path) -> None:
    write_log(tmp_path, [b"a", b"b", b"c"])
    file = segment_files(tmp_path)[0]
    data = bytearray(file.read_bytes())
    data[140] ^= 1
    file.write_bytes(data)

    async def check() -> None:
        with pytest.raises(LogDamagedError, match="byte 128"):
            await EmbeddedLog.open(tmp_path, read_only=True)

    within(check())


def test_there_must_be_a_log(tmp_path: Path) -> None:
    async def check() -> None:
        for folder in (tmp_path, tmp_path / "none"):
            with pytest.raises(LogUnavailableError, match="there is no log in"):
                await EmbeddedLog.open(folder, read_only=True)
        assert not (tmp_path / "none").exists()

    within(check())


def test_files_that_vanish_are_reported(tmp_path: Path) -> None:
    write_log(tmp_path, [b"a"])

    async def check() -> None:
        async with opened(tmp_path, read_only=True) as log:
            shutil.rmtree(tmp_path / "points-0")
            with pytest.raises(LogUnavailableError, match="could not be read"):
                await log.refresh()

    within(check())


def test_a_wait_ends_when_the_log_is_closed(tmp_path: Path) -> None:
    write_log(tmp_path, [b"a"])

    async def check() -> None:
        log = await EmbeddedLog.open(tmp_path, read_only=True)
        wait = asyncio.create_task(log.wait(POINTS, 0, 1))
        await asyncio.sleep(0)
        await log.close()
        with pytest.raises(LogUnavailableError):
            await wait

    within(check())
