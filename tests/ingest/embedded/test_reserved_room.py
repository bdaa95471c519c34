"""The room that a file has beyond its last record, for those that come."""

import errno
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.disk import Disk, reserve_room
from ingest.embedded.partition_writer import RESERVED_BYTES
from ingest.embedded.truncation import size_of as folder_size
from ingest.log import LogUnavailableError
from tests.ingest.embedded.support import (
    POINTS,
    QUICK,
    append_each,
    no_sync,
    opened,
    read_all,
    segment_files,
    values_in,
    within,
)

FRAME = 48 + 5


def size_of(folder: Path) -> int:
    return segment_files(folder)[-1].stat().st_size


def test_a_file_is_made_longer_seldom_and_ends_with_its_last_record_once_closed(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path) as log:
            assert size_of(tmp_path) == 128
            sizes: set[int] = set()
            for _ in range(50):
                await log.append(POINTS, 0, b"small")
                sizes.add(size_of(tmp_path))
            assert sizes == {128 + FRAME + RESERVED_BYTES}
            assert len(await read_all(log)) == 50
            assert log.room == RESERVED_BYTES - 49 * FRAME
            assert folder_size(tmp_path) - log.room == 3 * 128 + 50 * FRAME
        assert size_of(tmp_path) == 128 + 50 * FRAME

    within(check())


def test_the_room_is_used_up_and_reserved_again(tmp_path: Path) -> None:
    reserved: list[tuple[int, int]] = []

    def reserve(fd: int, position: int, size: int) -> None:
        reserved.append((position, size))
        reserve_room(fd, position, size)

    async def check() -> None:
        async with opened(tmp_path, disk=Disk(sync=no_sync, reserve=reserve)) as log:
            large = bytes(RESERVED_BYTES)
            for value in (b"small", large, b"small"):
                await log.append(POINTS, 0, value)
        after = 128 + FRAME + 48 + len(large)
        assert reserved == [(128, FRAME + RESERVED_BYTES), (after, FRAME + RESERVED_BYTES)]
        assert size_of(tmp_path) == after + FRAME

    within(check())


def test_it_does_not_reach_beyond_the_size_of_a_file(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path, segment_bytes=300) as log:
            for size in (300, 300, 300, 300):
                await log.append(POINTS, 0, b"small")
                assert size_of(tmp_path) == size
            assert len(segment_files(tmp_path)) == 2

    within(check())
    assert [file.stat().st_size for file in segment_files(tmp_path)] == [128 + 3 * FRAME, 128 + FRAME]


def test_what_a_killed_process_leaves_is_cut_without_a_word(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path / "log") as log:
            await append_each(log, [b"small"] * 3)
            left = segment_files(tmp_path / "log")[0].read_bytes()
        segment_files(tmp_path / "log")[0].write_bytes(left)
        with capture_logs() as logs:
            async with opened(tmp_path / "log") as log:
                assert size_of(tmp_path / "log") == 128 + 3 * FRAME
                assert await append_each(log, [b"after"]) == [3]
        assert logs == []

    within(check())
    assert values_in(tmp_path / "log") == [b"small"] * 3 + [b"after"]


def test_without_room_records_are_written_all_the_same(tmp_path: Path) -> None:
    def full(fd: int, position: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "injected")

    async def check() -> None:
        async with opened(tmp_path, disk=Disk(sync=no_sync, reserve=full), segment_bytes=300) as log:
            assert await append_each(log, [b"small"] * 5) == [0, 1, 2, 3, 4]

    within(check())
    assert values_in(tmp_path) == [b"small"] * 5


def test_what_could_be_had_of_room_is_given_back(tmp_path: Path) -> None:
    def nearly_full(fd: int, position: int, size: int) -> None:
        reserve_room(fd, position, size // 2)
        raise OSError(errno.ENOSPC, "injected")

    async def check() -> None:
        async with opened(tmp_path, disk=Disk(sync=no_sync, reserve=nearly_full)) as log:
            for count in range(1, 4):
                await log.append(POINTS, 0, b"small")
                assert size_of(tmp_path) == 128 + count * FRAME
                assert log.room == 0

    within(check())
    assert values_in(tmp_path) == [b"small"] * 3


def test_a_new_file_is_begun_only_once_the_one_before_is_cut_for_good(tmp_path: Path) -> None:
    class Failing:
        fail = False

        def sync(self, fd: int) -> None:
            if self.fail:
                raise OSError(errno.EIO, "injected")

    disk = Failing()

    async def check() -> None:
        async with opened(tmp_path, disk=Disk(sync=disk.sync), segment_bytes=250) as log:
            await append_each(log, [b"small"] * 2)
            disk.fail = True
            with pytest.raises(LogUnavailableError, match="could not be synced"):
                await log.append(POINTS, 0, b"small")
            disk.fail = False
            with pytest.raises(LogUnavailableError, match="until it is opened again"):
                await log.append(POINTS, 0, b"small")
            assert len(segment_files(tmp_path)) == 1

    within(check())
    assert values_in(tmp_path, disk=QUICK) == [b"small"] * 2
