"""Writing groups of records to the end of one partition. Runs on the log's writing thread."""

import os
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from ingest.disk import Disk, write_all
from ingest.embedded.errors import LogPoisonedError
from ingest.embedded.frames import NewRecord, encode_frame, frame_size
from ingest.embedded.partition_folder import OpenedPartition
from ingest.embedded.segment_file import HEADER_BYTES, Segment, create_segment
from ingest.log import LogUnavailableError

RESERVED_BYTES = 1 << 20
"""A sync within a file takes less than half of one that makes it longer: so it is made longer by so much at once."""
_LARGE_BYTES = 1 << 16
"""A group that takes its time anyway needs no room."""
_UNFINISHED = "a group was not written to its end"


class Committed(NamedTuple):
    """A group that is durable: the file it is in, its first offset and where that record begins."""

    segment: Segment
    first_offset: int
    position: int


class PartitionWriter:
    """Appends to the last segment file of a partition, and begins a new one when that is full."""

    def __init__(self, disk: Disk, identity: uuid.UUID, opened: OpenedPartition, segment_bytes: int) -> None:
        """Append after ``opened``. A file takes no further group that would make it longer than ``segment_bytes``."""
        self._disk = disk
        self._identity = identity
        self._segment = opened.segments[-1]
        self._next_offset = opened.tail.end_offset
        self._end = opened.tail.end_position
        self._segment_bytes = segment_bytes
        self._fd = os.open(self._segment.path, os.O_WRONLY)
        self._room_end = self._end
        self._poison: str | None = None

    @property
    def room(self) -> int:
        """How many bytes of the last file are reserved for records to come."""
        return max(0, self._room_end - self._end)

    def commit(self, records: Sequence[NewRecord]) -> Committed:
        """Write ``records`` and sync them, together.

        Raises LogUnavailableError when none of them is on the log and the next group may succeed, and
        LogPoisonedError when that isn't known.
        """
        if self._poison is not None:
            raise LogPoisonedError(self._poison)
        size = sum(map(frame_size, records))
        try:
            if self._end > HEADER_BYTES and self._end + size > self._segment_bytes:
                self._begin_segment()
        except OSError as error:
            raise LogUnavailableError(f"a file after {self._segment.path} could not be created: {error}") from error
        self._reserve(size)
        self._poison = _UNFINISHED
        self._write(records)
        self._sync()
        self._poison = None
        committed = Committed(self._segment, self._next_offset, self._end)
        self._end += size
        self._next_offset += len(records)
        return committed

    def roll(self) -> Segment:
        """Begin a new file unless the last one is empty, and return the last: what comes next goes there.

        Raises OSError, LogPoisonedError.
        """
        if self._poison is not None:
            raise LogPoisonedError(self._poison)
        if self._end > HEADER_BYTES:
            self._begin_segment()
        return self._segment

    def close(self) -> None:
        """Close the file, without the room that is left in it."""
        if self._poison is None:
            with suppress(OSError):  # whoever opens it next cuts it
                os.ftruncate(self._fd, self._end)
        os.close(self._fd)

    def _reserve(self, size: int) -> None:
        """Have room for a group of ``size`` bytes and for some that follow."""
        end = self._end + size
        if end <= self._room_end or size >= _LARGE_BYTES:
            return
        room_end = max(end, min(end + RESERVED_BYTES, self._segment_bytes))
        try:
            self._disk.reserve(self._fd, self._end, room_end - self._end)
            self._room_end = room_end
        except OSError:
            # What could be written is all that the disk had: that is for records, and for others. Whether there is room
            # for the group itself, writing it says.
            with suppress(OSError):
                self._leave_no_room()

    def _leave_no_room(self) -> None:
        """End the file behind the last durable record. Raises OSError."""
        self._room_end = self._end
        os.ftruncate(self._fd, self._end)

    def _write(self, records: Sequence[NewRecord]) -> None:
        salt = self._segment.header.salt
        buffers = (
            piece
            for index, record in enumerate(records)
            for piece in encode_frame(record, self._next_offset + index, index, salt)
        )
        try:
            write_all(self._disk, self._fd, self._end, buffers)
        except OSError as error:
            self._cut()
            raise LogUnavailableError(f"{self._segment.path} could not be written: {error}") from error

    def _sync(self) -> None:
        try:
            self._disk.sync(self._fd)
        except OSError as error:
            # The kernel reports a failed write-back once, marks the pages clean and may drop them: a second sync
            # would succeed without having written anything, and a read may show bytes that the disk doesn't have.
            # Nothing written to this file can be promised any more. Opening the log again writes the last group
            # anew, which makes its pages dirty, and only then counts it as durable.
            raise LogPoisonedError(f"{self._segment.path} could not be synced: {error}") from error

    def _cut(self) -> None:
        """Remove what a failed write left after the last durable record."""
        try:
            self._leave_no_room()
            self._disk.sync(self._fd)
        except OSError as error:
            raise LogPoisonedError(f"{self._segment.path} could not be cut after a failed write: {error}") from error
        self._poison = None

    def _begin_segment(self) -> None:
        """Go on in a new file. The one before is complete and synced, as every group is before the next begins."""
        self._leave_no_room()
        try:
            self._sync()
            segment, fd = create_segment(
                self._disk, self._segment.path.parent, self._identity, self._next_offset, self._segment, self._end
            )
        except LogPoisonedError as error:
            self._poison = str(error)
            raise
        os.close(self._fd)
        self._segment, self._fd, self._end, self._room_end = segment, fd, HEADER_BYTES, HEADER_BYTES
