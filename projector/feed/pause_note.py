"""The pause note: a file in which a projector says why it has paused (docs/feed-format.md).

It has its size from the beginning and is overwritten in place, so that it can be written on a disk that is full.
"""

import os
from pathlib import Path
from struct import Struct

import structlog
from crc32c import crc32c

from projector.waiters import Waiters

NOTE_BYTES = 4096
_HEAD = Struct("<II")

_logger = structlog.get_logger("headwater.feed")


class PauseNote:
    """The writer's side. Saying the same again costs nothing."""

    def __init__(self, path: Path) -> None:
        """Make the file, or overwrite what a process that is gone said in it. Raises OSError."""
        self._path = path
        self._said: str | None = None
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.pwrite(self._fd, bytes(NOTE_BYTES), 0)
        except OSError:
            os.close(self._fd)
            raise

    def say(self, reason: str | None) -> None:
        """Why nothing is applied now; None: it is."""
        if reason == self._said:
            return
        text = (reason or "").encode()[: NOTE_BYTES - _HEAD.size]
        data = _HEAD.pack(len(text), crc32c(text)) + text
        try:
            os.pwrite(self._fd, data.ljust(NOTE_BYTES, b"\0"), 0)
        except OSError as error:
            # Readers then wait until the deadline of each request.
            _logger.warning("readers can't be told of a pause", file=str(self._path), reason=str(error))
        else:
            self._said = reason

    def close(self) -> None:
        """Close the file; what it says stays."""
        os.close(self._fd)


def look_for_pause(path: Path, waiters: Waiters) -> None:
    """See whether the projector has paused, and tell who waits for what it would apply."""
    reason = read_note(path)
    if reason != waiters.stalled:
        waiters.stall(reason)


def read_note(path: Path) -> str | None:
    """Why nothing is applied now; None when nothing is said, or not whole."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if len(data) < _HEAD.size:
        return None
    length, crc = _HEAD.unpack_from(data)
    text = data[_HEAD.size : _HEAD.size + length]
    return text.decode(errors="replace") if text and len(text) == length and crc32c(text) == crc else None
