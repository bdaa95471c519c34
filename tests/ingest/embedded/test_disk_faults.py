"""A disk that is full or fails."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from ingest.embedded import EmbeddedLog
from ingest.log import LogUnavailableError, Topic
from tests.ingest.embedded.support import (
    POINTS,
    FaultyDisk,
    append_each,
    append_together,
    opened,
    read_all,
    segment_files,
    values_in,
    within,
)


@pytest.mark.parametrize("room", [0, 1, 60, 100])
def test_a_full_disk_fails_the_group_and_leaves_nothing_of_it(tmp_path: Path, room: int) -> None:
    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, disk=faulty.disk) as log:
            await append_each(log, [b"before"])
            faulty.write_limit = room
            outcomes = await asyncio.gather(*[log.append(POINTS, 0, b"lost") for _ in range(4)], return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [LogUnavailableError] * 4
            assert "injected" in str(outcomes[0])
            assert segment_files(tmp_path)[0].stat().st_size == 128 + 48 + 6
            assert await log.end_offset(POINTS, 0) == 1
            faulty.write_limit = None
            assert await append_each(log, [b"after", b"after"]) == [1, 2]
            assert [record.value for record in await read_all(log)] == [b"before", b"after", b"after"]

    within(check())
    assert values_in(tmp_path) == [b"before", b"after", b"after"]


def test_a_full_disk_fails_only_the_partitions_it_hit(tmp_path: Path) -> None:
    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, 2, disk=faulty.disk) as log:
            faulty.write_limit = 100
            done, failed = await asyncio.gather(
                log.append(POINTS, 0, bytes(10)), log.append(POINTS, 1, bytes(100)), return_exceptions=True
            )
            assert done == 0
            assert isinstance(failed, LogUnavailableError)

    within(check())


@pytest.mark.parametrize("left", [0, 1])
def test_no_more_descriptors_when_a_new_file_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    open_file = os.open
    opened_files: list[object] = []

    def limited(path: Path, *how: int, **options: int) -> int:
        if len(opened_files) == left:
            raise OSError(errno.EMFILE, "Too many open files", str(path))
        opened_files.append(path)
        return open_file(path, *how, **options)

    async def check() -> None:
        async with opened(tmp_path, segment_bytes=300) as log:
            await append_each(log, [bytes(100)])
            with monkeypatch.context() as few:
                few.setattr("ingest.embedded.segment_file.os.open", limited)
                with pytest.raises(LogUnavailableError, match=r"could not be created: .*Too many open files"):
                    await log.append(POINTS, 0, bytes(100))
            assert await append_each(log, [bytes(100)]) == [1]
            assert len(segment_files(tmp_path)) == 2

    within(check())
    assert len(values_in(tmp_path)) == 2


def test_a_full_disk_when_a_new_file_is_due(tmp_path: Path) -> None:
    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, disk=faulty.disk, segment_bytes=200) as log:
            await append_each(log, [bytes(50)])
            faulty.write_limit = 64
            with pytest.raises(LogUnavailableError, match="could not be created"):
                await log.append(POINTS, 0, bytes(50))
            faulty.write_limit = 128
            with pytest.raises(LogUnavailableError, match="could not be written"):
                await log.append(POINTS, 0, bytes(50))
            faulty.write_limit = None
            assert await append_each(log, [b"after", b"after"]) == [1, 2]
            assert [record.value for record in await read_all(log)] == [bytes(50), b"after", b"after"]

    within(check())
    assert [file.name[-6:] for file in (tmp_path / "points-0").iterdir() if file.suffix != ".log"] == []
    assert values_in(tmp_path) == [bytes(50), b"after", b"after"]


def test_after_a_failed_sync_nothing_more_is_taken_until_reopened(tmp_path: Path) -> None:
    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, disk=faulty.disk) as log:
            await append_each(log, [b"before"])
            faulty.fail_sync = True
            outcomes = await asyncio.gather(
                *[log.append(POINTS, 0, b"unsure") for _ in range(2)], return_exceptions=True
            )
            assert [type(outcome) for outcome in outcomes] == [LogUnavailableError] * 2
            faulty.fail_sync = False
            for topic in (POINTS, Topic.CATALOG):
                with pytest.raises(
                    LogUnavailableError, match=r"until it is opened again, since .* could not be synced"
                ):
                    await log.append(topic, 0, b"refused")
            assert await log.end_offset(POINTS, 0) == 1
            assert [record.value for record in await read_all(log)] == [b"before"]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(log.wait(POINTS, 0, 1), 0.01)
        async with opened(tmp_path) as log:
            values = [record.value for record in await read_all(log)]
            assert values == [b"before", b"unsure", b"unsure"]
            assert await append_each(log, [b"after"]) == [3]

    within(check())


def test_opening_writes_the_last_group_again(tmp_path: Path) -> None:
    """A failed sync may leave pages in memory that look written and aren't; the same bytes written anew are."""

    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, disk=faulty.disk) as log:
            await append_each(log, [b"before"])
            faulty.fail_sync = True
            with pytest.raises(LogUnavailableError):
                await append_together(log, [b"unsure"] * 3)
        before = segment_files(tmp_path)[0].read_bytes()
        recording = FaultyDisk()
        recording.write_limit = 3 * (48 + 6)
        async with opened(tmp_path, disk=recording.disk):
            assert recording.write_limit == 0
            assert recording.syncs >= 3
        assert segment_files(tmp_path)[0].read_bytes() == before.rstrip(b"\0")

    within(check())


def test_a_failed_sync_refuses_what_is_queued_behind_it(tmp_path: Path) -> None:
    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, 2, disk=faulty.disk, queue_bytes=300) as log:
            faulty.fail_sync = True
            appends = [log.append(POINTS, i % 2, bytes(100)) for i in range(10)]
            outcomes = await asyncio.gather(*appends, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [LogUnavailableError] * 10
            assert faulty.syncs > 0
        assert (tmp_path / "points-1" / segment_files(tmp_path)[0].name).stat().st_size == 128

    within(check())
    assert values_in(tmp_path) == [bytes(100)]


def test_no_new_file_is_begun_after_a_failed_sync(tmp_path: Path) -> None:
    """It isn't known where the file before it ends."""

    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, disk=faulty.disk) as log:
            await append_each(log, [b"before"])
            faulty.fail_sync = True
            with pytest.raises(LogUnavailableError):
                await log.append(POINTS, 0, b"unsure")
            faulty.fail_sync = False
            with pytest.raises(LogUnavailableError, match="not written to its end"):
                await log.roll(POINTS, 0)

    within(check())
    assert values_in(tmp_path) == [b"before", b"unsure"]


def test_no_new_file_is_begun_where_the_one_before_may_be_longer_than_it_says(tmp_path: Path) -> None:
    """Its room was cut off, and the sync of that failed: after a power failure the room may be there again."""

    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, disk=faulty.disk, segment_bytes=300) as log:
            await append_each(log, [bytes(50)])
            faulty.fail_sync = True
            with pytest.raises(LogUnavailableError, match="could not be synced"):
                await log.append(POINTS, 0, bytes(100))
            faulty.fail_sync = False
            with pytest.raises(LogUnavailableError, match="could not be synced"):
                await log.roll(POINTS, 0)
        assert len(segment_files(tmp_path)) == 1

    within(check())
    assert values_in(tmp_path) == [bytes(50)]


def test_a_cut_that_fails_poisons_too(tmp_path: Path) -> None:
    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, disk=faulty.disk) as log:
            faulty.write_limit, faulty.fail_sync = 10, True
            with pytest.raises(LogUnavailableError, match="could not be cut"):
                await log.append(POINTS, 0, b"x")
            faulty.write_limit, faulty.fail_sync = None, False
            with pytest.raises(LogUnavailableError, match="until it is opened again"):
                await log.append(POINTS, 0, b"x")

    within(check())


def test_an_unforeseen_error_reaches_the_appenders(tmp_path: Path) -> None:
    class Broken(FaultyDisk):
        broken = False

        def pwrite(self, fd: int, data: bytes, position: int) -> int:
            if self.broken:
                raise ZeroDivisionError
            return super().pwrite(fd, data, position)

    async def check() -> None:
        disk = Broken()
        async with opened(tmp_path, disk=disk.disk) as log:
            disk.broken = True
            for message in ("unexpected way: ZeroDivisionError", "until it is opened again"):
                with pytest.raises(LogUnavailableError, match=message):
                    await log.append(POINTS, 0, b"x")

    within(check())


def test_a_disk_that_fails_while_opening(tmp_path: Path) -> None:
    async def check() -> None:
        faulty = FaultyDisk()
        faulty.fail_sync = True
        with pytest.raises(LogUnavailableError, match=r"could not be opened: .*injected"):
            await EmbeddedLog.open(tmp_path / "log", disk=faulty.disk)
        async with opened(tmp_path / "log") as log:
            assert await append_each(log, [b"x"]) == [0]

    within(check())
