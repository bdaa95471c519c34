"""The header of a segment file."""

import os
import uuid
from pathlib import Path

import pytest

from ingest.disk import Disk
from ingest.embedded import LogVersionError
from ingest.embedded.segment_file import (
    HEADER_BYTES,
    NO_PREVIOUS,
    SegmentHeader,
    create_segment,
    open_segment,
    parse_header,
    segment_name,
    segment_offsets,
)
from ingest.log import LogDamagedError

PATH = Path("points-12") / segment_name(5)
HEADER = SegmentHeader(uuid.UUID(int=77), "points-12", 5, 0xDEADBEEF, 1_700_000_000_000, NO_PREVIOUS, 2**40)


def test_the_header_comes_back_as_it_was() -> None:
    data = HEADER.encode()
    assert len(data) == HEADER_BYTES
    assert parse_header(data + b"frames", PATH) == HEADER


def test_every_flipped_byte_and_every_cut_is_refused() -> None:
    data = HEADER.encode()
    for position in range(HEADER_BYTES):
        flipped = bytearray(data)
        flipped[position] ^= 0x10
        with pytest.raises(LogDamagedError, match=r"00005\.log"):
            parse_header(bytes(flipped), PATH)
        with pytest.raises(LogDamagedError, match="ends within its header"):
            parse_header(data[:position], PATH)


def test_a_newer_version_is_named() -> None:
    data = bytearray(HEADER.encode())
    data[12] = 2
    with pytest.raises(LogVersionError, match="version 2"):
        parse_header(bytes(data), PATH)


def test_a_file_of_another_log_or_partition_is_refused(tmp_path: Path) -> None:
    folder, other = tmp_path / "points-0", tmp_path / "points-1"
    folder.mkdir()
    other.mkdir()
    identity = uuid.uuid4()
    segment, fd = create_segment(Disk(), folder, identity, 9, None, 0)
    os.close(fd)
    assert open_segment(folder, 9, identity) == segment
    with pytest.raises(LogDamagedError, match=str(identity)):
        open_segment(folder, 9, uuid.uuid4())
    segment.path.rename(other / segment.path.name)
    with pytest.raises(LogDamagedError, match="points-0 from offset 9"):
        open_segment(other, 9, identity)


def test_only_segment_files_count(tmp_path: Path) -> None:
    for name in [
        segment_name(20),
        segment_name(3),
        segment_name(100),
        "3.log",
        "x" * 20 + ".log",
        "notes",
        "5.log.new",
    ]:
        (tmp_path / name).touch()
    assert segment_offsets(tmp_path) == [3, 20, 100]
