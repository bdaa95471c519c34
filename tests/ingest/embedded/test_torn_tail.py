"""What opening does with the end of the last file: an unfinished write is cut, damage is refused."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.embedded.tail_scan import SECTOR_BYTES
from ingest.log import LogDamagedError
from tests.ingest.embedded.support import (
    POINTS,
    append_each,
    append_together,
    opened,
    segment_files,
    values_in,
    within,
    write_log,
)

VALUES = [b"first", b"second" * 5, b"third"]
LAST_AT = 128 + (48 + 5) + (48 + 30)
END = LAST_AT + 48 + 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of three records, each of which was synced by itself."""
    write_log(tmp_path / "log", VALUES)
    return tmp_path / "log"


def change(folder: Path, edit: Callable[[bytes], bytes]) -> None:
    file = segment_files(folder)[-1]
    file.write_bytes(edit(file.read_bytes()))


def test_a_last_record_cut_at_any_byte_is_removed(folder: Path) -> None:
    file = segment_files(folder)[0]
    whole = file.read_bytes()
    assert len(whole) == END
    for size in range(LAST_AT, END):
        file.write_bytes(whole[:size])
        assert values_in(folder) == VALUES[:2]
        assert file.stat().st_size == LAST_AT


def test_a_last_record_zeroed_from_any_byte_is_removed(folder: Path) -> None:
    file = segment_files(folder)[0]
    whole = file.read_bytes()
    for size in range(LAST_AT, END):
        file.write_bytes(whole[:size].ljust(5000, b"\0"))
        assert values_in(folder) == VALUES[:2]
        assert file.stat().st_size == LAST_AT


def test_a_last_record_turned_to_garbage_from_any_byte_is_removed(folder: Path) -> None:
    file = segment_files(folder)[0]
    whole = file.read_bytes()
    chance = random.Random(5)
    for size in range(LAST_AT, END):
        file.write_bytes(whole[:size] + chance.randbytes(300))
        assert values_in(folder) == VALUES[:2]


@pytest.mark.parametrize("rest", [b"\0" * 9 + b"!", b"garbage" * 50, b"\x9bHW\xf5" * 30])
def test_what_follows_the_last_record_is_removed(folder: Path, rest: bytes) -> None:
    change(folder, lambda data: data + rest)
    with capture_logs() as logs:
        assert values_in(folder) == VALUES
    assert [(entry["log_level"], entry["bytes"], entry["end_offset"]) for entry in logs] == [("warning", len(rest), 3)]
    with capture_logs() as logs:
        assert values_in(folder) == VALUES
    assert logs == []


@pytest.mark.parametrize("size", [1, 47, 48, 100_000, 3 << 20])
def test_zeros_after_the_last_record_are_room_for_more(folder: Path, size: int) -> None:
    change(folder, lambda data: data + bytes(size))
    with capture_logs() as logs:
        assert values_in(folder, read_only=True) == values_in(folder) == VALUES
    assert logs == []
    assert segment_files(folder)[0].stat().st_size == END


def test_an_unfinished_write_is_told_without_the_room_after_it(folder: Path) -> None:
    change(folder, lambda data: data + b"!" * 7 + bytes(2 << 20))
    with capture_logs() as logs:
        assert values_in(folder) == VALUES
    assert [(entry["log_level"], entry["bytes"]) for entry in logs] == [("warning", 7)]
    assert segment_files(folder)[0].stat().st_size == END


def test_records_behind_zeros_are_not_taken_for_room(folder: Path) -> None:
    """Two groups are lost in sectors of zeros, and a later one proves that they had been synced."""
    change(folder, lambda data: data[:128] + bytes(LAST_AT - 128) + data[LAST_AT:] + bytes(1 << 20))
    with pytest.raises(LogDamagedError, match="byte 128: record 0 is unreadable, and record 2 follows"):
        values_in(folder)


def test_offsets_go_on_after_a_cut(folder: Path) -> None:
    change(folder, lambda data: data[:-1])

    async def check() -> None:
        async with opened(folder) as log:
            assert await append_each(log, [b"again", b"more"]) == [2, 3]

    within(check())
    assert values_in(folder) == [*VALUES[:2], b"again", b"more"]


def test_a_byte_flipped_in_an_earlier_record_is_refused(folder: Path) -> None:
    file = segment_files(folder)[0]
    whole = file.read_bytes()
    for position in range(LAST_AT):
        data = bytearray(whole)
        data[position] ^= 1 << position % 8
        file.write_bytes(data)
        with pytest.raises(LogDamagedError, match=r"0000\.log.*nothing was changed"):
            values_in(folder)
        assert file.read_bytes() == data


def test_bytes_that_are_missing_or_inserted_before_a_record_are_refused(folder: Path) -> None:
    file = segment_files(folder)[0]
    whole = file.read_bytes()
    for position in range(128, LAST_AT, 9):
        for data in (whole[:position] + whole[position + 3 :], whole[:position] + b"abc" + whole[position:]):
            file.write_bytes(data)
            with pytest.raises(LogDamagedError, match=r"is damaged at byte (128|181)"):
                values_in(folder)


def test_a_record_that_is_missing_whole_is_refused(folder: Path) -> None:
    change(folder, lambda data: data[: 128 + 53] + data[LAST_AT:])
    with pytest.raises(LogDamagedError, match="byte 181: record 2 stands where 1 belongs"):
        values_in(folder)


def test_the_damage_may_be_long(folder: Path) -> None:
    """The record that follows is found across the pieces in which the file is searched."""
    for size in (262_144 - 48, 262_144, 600_000):
        change(folder, lambda data, size=size: data[:LAST_AT] + b"\x9bHW\xf5" * (size // 4) + data[LAST_AT:])
        with pytest.raises(LogDamagedError, match=f"byte {LAST_AT}: record 2 is unreadable"):
            values_in(folder)
        change(folder, lambda data: data[:LAST_AT] + data[-53:])
    assert values_in(folder) == VALUES


def test_a_frame_inside_a_value_is_not_taken_for_a_record(tmp_path: Path) -> None:
    """A torn record is cut even if its value holds whole frames, of this log but of another file."""
    write_log(tmp_path / "other", VALUES * 3)
    frames = segment_files(tmp_path / "other")[0].read_bytes()
    write_log(tmp_path / "log", [b"kept", frames + bytes(100)])
    change(tmp_path / "log", lambda data: data[:-1])
    assert values_in(tmp_path / "log") == [b"kept"]


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """A log with one record, and then three of 3000 bytes that were written in one group."""

    async def write() -> None:
        async with opened(tmp_path / "log") as log:
            await append_each(log, [b"kept"])
            await append_together(log, [bytes([65 + i]) * 3000 for i in range(3)])

    asyncio.run(write())
    return tmp_path / "log"


GROUP_AT = 128 + 52
FRAME = 3048


@pytest.mark.parametrize("record", [0, 1, 2])
def test_sectors_lost_in_the_last_group_are_an_unfinished_write(group: Path, record: int) -> None:
    """A power failure may keep the later pages of one write and lose earlier ones."""
    start = (GROUP_AT + record * FRAME + SECTOR_BYTES - 1) // SECTOR_BYTES * SECTOR_BYTES
    change(group, lambda data: data[:start] + bytes(SECTOR_BYTES) + data[start + SECTOR_BYTES :])
    assert len(values_in(group)) == 1 + record


def test_the_sector_that_the_group_begins_in_may_be_lost(group: Path) -> None:
    change(group, lambda data: data[:GROUP_AT] + bytes(SECTOR_BYTES - GROUP_AT) + data[SECTOR_BYTES:])
    assert values_in(group) == [b"kept"]


@pytest.mark.parametrize("position", [GROUP_AT, GROUP_AT + 60, GROUP_AT + FRAME + 100])
def test_a_byte_flipped_in_the_last_group_is_refused(group: Path, position: int) -> None:
    change(group, lambda data: data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :])
    with pytest.raises(LogDamagedError, match="is unreadable, and later records follow"):
        values_in(group)


def test_sectors_lost_before_the_last_group_are_damage(group: Path) -> None:
    async def append() -> None:
        async with opened(group) as log:
            await log.append(POINTS, 0, b"proves that the group was synced")

    asyncio.run(append())
    change(group, lambda data: data[:1024] + bytes(2048) + data[3072:])
    with pytest.raises(LogDamagedError, match="record 1 is unreadable, and record 4 follows"):
        values_in(group)


def test_a_group_cut_anywhere_keeps_its_whole_records(group: Path) -> None:
    whole = segment_files(group)[0].read_bytes()
    for size in range(GROUP_AT, len(whole), 97):
        segment_files(group)[0].write_bytes(whole[:size])
        assert len(values_in(group)) == 1 + (size - GROUP_AT) // FRAME
