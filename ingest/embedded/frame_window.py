"""Reading frames out of a segment file in large pieces."""

import os
from collections.abc import Iterator
from pathlib import Path

from ingest.disk import read_at
from ingest.embedded.errors import newer
from ingest.embedded.frames import (
    HEADER_BYTES,
    MAGIC,
    VERSION,
    FrameHeader,
    UnknownFrameError,
    body_is_intact,
    decode_record,
    parse_header,
)
from ingest.log import LogRecord

WINDOW_BYTES = 256 * 1024


class FrameWindow:
    """A window over an open segment file that moves along as frames are asked for.

    It reads with pread and not through a memory map: a map would end the process (SIGBUS) on a read error, or when
    the process that writes the file cuts it meanwhile.
    """

    def __init__(self, fd: int, path: Path, salt: int, window_bytes: int = WINDOW_BYTES) -> None:
        self._fd = fd
        self._path = path
        self._salt = salt
        self._window_bytes = window_bytes
        self._start = 0
        self._data = b""

    def header(self, position: int) -> FrameHeader | None:
        """The intact frame header at ``position``, or None. Raises LogVersionError."""
        at = self._load(position, HEADER_BYTES)
        try:
            return parse_header(self._data, at, self._salt)
        except UnknownFrameError as error:
            raise newer(self._path, error.version, VERSION) from error

    def body_is_intact(self, position: int, header: FrameHeader) -> bool:
        """Whether the body of the frame at ``position``, whose header is ``header``, is as it was written."""
        at = self._load(position, header.size)
        return body_is_intact(header, self._data, at)

    def record(self, position: int, header: FrameHeader, partition: int) -> LogRecord | None:
        """The record of the frame at ``position``, or None where its body isn't as it was written."""
        at = self._load(position, header.size)
        if not body_is_intact(header, self._data, at):
            return None
        return decode_record(header, self._data, at, partition)

    def read_ahead(self, position: int, size: int) -> None:
        """Move the window to ``size`` bytes from ``position`` on (fewer where the file ends), in one read."""
        size = min(size, os.fstat(self._fd).st_size - position)
        if position + size > self._start + len(self._data):
            self._start, self._data = position, read_at(self._fd, position, size)

    def forget(self) -> None:
        """Drop what was read, so that the next look is at what the file holds then."""
        self._start, self._data = 0, b""

    def later_headers(self, position: int) -> Iterator[tuple[int, FrameHeader]]:
        """Every intact frame header at or after ``position``, wherever it stands, with its position."""
        while True:
            data = read_at(self._fd, position, WINDOW_BYTES)
            if len(data) < HEADER_BYTES:
                return
            yield from self._headers_in(data, position)
            position += len(data) - HEADER_BYTES + 1

    def _headers_in(self, data: bytes, start: int) -> Iterator[tuple[int, FrameHeader]]:
        at = data.find(MAGIC)
        while 0 <= at <= len(data) - HEADER_BYTES:
            try:
                header = parse_header(data, at, self._salt)
            except UnknownFrameError as error:
                raise newer(self._path, error.version, VERSION) from error
            if header is not None:
                yield start + at, header
            at = data.find(MAGIC, at + 1)

    def _load(self, position: int, size: int) -> int:
        """Have ``size`` bytes from ``position`` on in the window, if the file has them. Returns their index."""
        at = position - self._start
        if at < 0 or at + size > len(self._data):
            self._start = position
            self._data = read_at(self._fd, position, max(size, self._window_bytes))
            return 0
        return at
