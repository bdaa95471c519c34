"""Reading records out of one segment file, from any offset."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from ingest.embedded.errors import damaged
from ingest.embedded.frame_window import FrameWindow
from ingest.embedded.frames import FrameHeader
from ingest.embedded.offset_index import SPACING_BYTES
from ingest.embedded.segment_file import HEADER_BYTES, Segment
from ingest.log import LogDamagedError, LogRecord


class SegmentGoneError(LogDamagedError):
    """A segment file isn't there any more."""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Records in order, and (offset, position) pairs for the segment's index that were come by on the way."""

    records: list[LogRecord]
    checkpoints: list[tuple[int, int]]


def read_segment(
    segment: Segment, partition: int, offset: int, limit: int, max_bytes: int, start: tuple[int, int]
) -> ReadResult:
    """The records of ``segment`` from ``offset`` to below ``limit``, about ``max_bytes`` of them, at least one.

    ``start`` is an (offset, position) at or before ``offset``. Raises LogDamagedError, for every record below
    ``limit`` is durable; raises OSError when the disk fails.
    """
    with _opened(segment) as fd:
        return _SegmentRead(fd, segment, partition).run(start, offset, limit, max_bytes)


def first_at(segment: Segment, limit: int, time_ms: int) -> int | None:
    """The first offset of ``segment``, of those below ``limit``, whose timestamp is ``time_ms`` or later, if any.

    ``time_ms`` is in milliseconds since 1970. Reads frame headers only. Raises as ``read_segment``.
    """
    with _opened(segment) as fd:
        return _SegmentRead(fd, segment, 0).first_at(limit, time_ms)


@contextmanager
def _opened(segment: Segment) -> Generator[int]:
    try:
        fd = os.open(segment.path, os.O_RDONLY)
    except FileNotFoundError as error:
        raise SegmentGoneError(f"{segment.path} is gone; put the file back from a copy") from error
    try:
        yield fd
    finally:
        os.close(fd)


class _SegmentRead:
    def __init__(self, fd: int, segment: Segment, partition: int) -> None:
        self._segment = segment
        self._partition = partition
        self._window = FrameWindow(fd, segment.path, segment.header.salt)
        self._checkpoints: list[tuple[int, int]] = []

    def run(self, start: tuple[int, int], offset: int, limit: int, max_bytes: int) -> ReadResult:
        position = self._walk(*start, offset)
        end = position + max_bytes
        self._window.read_ahead(position, max_bytes)
        records: list[LogRecord] = []
        checkpoint = position + SPACING_BYTES
        while offset < limit and (position < end or not records):
            header = self._header(offset, position)
            record = self._window.record(position, header, self._partition)
            if record is None:
                raise damaged(self._segment.path, position, f"the checksum of record {offset} doesn't match")
            records.append(record)
            position += header.size
            offset += 1
            if position >= checkpoint:
                self._checkpoints.append((offset, position))
                checkpoint = position + SPACING_BYTES
        return ReadResult(records, self._checkpoints)

    def first_at(self, limit: int, time_ms: int) -> int | None:
        """As the function."""
        position = HEADER_BYTES
        for offset in range(self._segment.first_offset, limit):
            header = self._header(offset, position)
            if header.timestamp_ms >= time_ms:
                return offset
            position += header.size
        return None

    def _walk(self, at_offset: int, position: int, offset: int) -> int:
        """The position of ``offset``, found from header to header."""
        checkpoint = position + SPACING_BYTES
        while at_offset < offset:
            position += self._header(at_offset, position).size
            at_offset += 1
            if position >= checkpoint:
                self._checkpoints.append((at_offset, position))
                checkpoint = position + SPACING_BYTES
        return position

    def _header(self, offset: int, position: int) -> FrameHeader:
        header = self._window.header(position)
        if header is None:
            raise damaged(self._segment.path, position, f"there is no intact record {offset}")
        if header.offset != offset:
            raise damaged(self._segment.path, position, f"record {header.offset} stands where {offset} belongs")
        return header
