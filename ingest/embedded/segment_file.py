"""The segment file: a header, then frames of consecutive offsets. docs/embedded-log.md has it byte for byte."""

import os
import secrets
import struct
import time
import uuid
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crc32c import crc32c

from ingest.disk import Disk, read_at, write_all
from ingest.embedded.errors import LogPoisonedError, damaged, newer
from ingest.embedded.offset_index import OffsetIndex

MAGIC = b"HWLOGSEG"
VERSION = 1
HEADER_BYTES = 128
SUFFIX = ".log"
TEMPORARY_SUFFIX = ".log.new"
NO_PREVIOUS = 2**64 - 1

_START = struct.Struct("<8sII")
_FIELDS = struct.Struct("<16sQI4xQQq24x32s")


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What a segment file says of itself and of the file before it.

    ``name`` is ``<topic>-<partition>``. ``salt`` is random and starts the checksum of every frame header in the file.
    ``previous_first_offset`` is NO_PREVIOUS in a partition's very first file.
    """

    identity: uuid.UUID
    name: str
    first_offset: int
    salt: int
    created_ms: int
    previous_first_offset: int
    previous_size: int

    def encode(self) -> bytes:
        """The 128 bytes at the start of the file."""
        fields = _FIELDS.pack(
            self.identity.bytes,
            self.first_offset,
            self.salt,
            self.previous_first_offset,
            self.previous_size,
            self.created_ms,
            self.name.encode(),
        )
        checked = struct.pack("<I", VERSION) + fields
        return MAGIC + struct.pack("<I", crc32c(checked)) + checked


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment file of a partition. ``index`` grows as the file is read and written."""

    path: Path
    header: SegmentHeader
    index: OffsetIndex = field(compare=False)

    @property
    def first_offset(self) -> int:
        """The offset of the file's first frame, whether it is written yet or not."""
        return self.header.first_offset


def segment_name(first_offset: int) -> str:
    """The file name: padded with zeros, so that names sort as offsets do."""
    return f"{first_offset:020d}{SUFFIX}"


def segment_offsets(folder: Path) -> list[int]:
    """The first offsets of the segment files in ``folder``, ascending."""
    stems = (name.removesuffix(SUFFIX) for name in os.listdir(folder) if name.endswith(SUFFIX))
    return sorted(int(stem) for stem in stems if len(stem) == 20 and stem.isdecimal())


def parse_header(data: bytes, path: Path) -> SegmentHeader:
    """The header of the file at ``path`` from its first bytes. Raises LogDamagedError, LogVersionError."""
    if len(data) < HEADER_BYTES:
        raise damaged(path, len(data), f"the file ends within its header of {HEADER_BYTES} bytes")
    magic, crc, version = _START.unpack_from(data)
    if magic != MAGIC:
        raise damaged(path, 0, "it doesn't start as a segment file does")
    if version > VERSION:
        raise newer(path, version, VERSION)
    if crc32c(data[12:HEADER_BYTES]) != crc:
        raise damaged(path, 0, "the checksum of the file's header doesn't match")
    identity, first_offset, salt, previous_first, previous_size, created_ms, name = _FIELDS.unpack_from(data, 16)
    return SegmentHeader(
        identity=uuid.UUID(bytes=identity),
        name=name.rstrip(b"\0").decode(),
        first_offset=first_offset,
        salt=salt,
        created_ms=created_ms,
        previous_first_offset=previous_first,
        previous_size=previous_size,
    )


def open_segment(folder: Path, first_offset: int, identity: uuid.UUID) -> Segment:
    """Read the header of a segment file and check that it belongs here. Raises LogDamagedError."""
    path = folder / segment_name(first_offset)
    fd = os.open(path, os.O_RDONLY)
    try:
        header = parse_header(read_at(fd, 0, HEADER_BYTES), path)
    finally:
        os.close(fd)
    if (header.identity, header.name, header.first_offset) != (identity, folder.name, first_offset):
        raise damaged(
            path,
            16,
            f"its header is of {header.name} from offset {header.first_offset} of log {header.identity}",
        )
    return Segment(path, header, OffsetIndex(first_offset, HEADER_BYTES))


def create_segment(
    disk: Disk,
    folder: Path,
    identity: uuid.UUID,
    first_offset: int,
    previous: Segment | None,
    previous_size: int,
) -> tuple[Segment, int]:
    """Create a segment file without frames, durably and whole: a ``.log`` file never lacks its header.

    Returns its descriptor, too, for writing. Raises OSError when nothing was created, and LogPoisonedError when it may
    have been.
    """
    header = SegmentHeader(
        identity=identity,
        name=folder.name,
        first_offset=first_offset,
        salt=secrets.randbits(32),
        created_ms=time.time_ns() // 1_000_000,
        previous_first_offset=NO_PREVIOUS if previous is None else previous.first_offset,
        previous_size=previous_size,
    )
    path = folder / segment_name(first_offset)
    # Whatever descriptors it takes are taken before the file has its name: there may be no more of them.
    with ExitStack() as failed, _closing(os.open(folder, os.O_RDONLY)) as names:
        fd = _create(path, header.encode(), disk)
        failed.callback(os.close, fd)
        try:
            disk.sync(names)
        except OSError as error:
            raise LogPoisonedError(f"{folder} could not be synced after creating {path.name}: {error}") from error
        failed.pop_all()
    return Segment(path, header, OffsetIndex(first_offset, HEADER_BYTES)), fd


def _create(path: Path, data: bytes, disk: Disk) -> int:
    temporary = path.with_name(path.name.replace(SUFFIX, TEMPORARY_SUFFIX))
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        write_all(disk, fd, 0, (data,))
        disk.sync(fd)
        temporary.replace(path)
    except OSError:
        os.close(fd)
        temporary.unlink(missing_ok=True)
        raise
    return fd


@contextmanager
def _closing(fd: int) -> Generator[int]:
    """A descriptor that is closed at the end."""
    try:
        yield fd
    finally:
        os.close(fd)
