"""Where a segment file ends, and whether what follows its last frame is a torn write or damage."""

import os
from dataclasses import dataclass

import structlog

from ingest.disk import read_at
from ingest.embedded.errors import damaged
from ingest.embedded.frame_window import FrameWindow
from ingest.embedded.frames import FrameHeader
from ingest.embedded.offset_index import SPACING_BYTES
from ingest.embedded.segment_file import Segment
from ingest.log import LogDamagedError

SECTOR_BYTES = 512
_SCAN_WINDOW_BYTES = 1 << 20

_log: structlog.types.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a partition.

    ``end_position`` is where the last intact frame ends; ``torn_bytes`` of an unfinished write follow it, and zeros.
    ``group_position`` is where the last group (the records that were written and synced together) begins.
    ``checkpoints`` are (offset, position) pairs for the segment's index.
    """

    end_offset: int
    end_position: int
    group_position: int
    torn_bytes: int
    checkpoints: tuple[tuple[int, int], ...]


def scan_tail(segment: Segment, offset: int, position: int) -> Tail:
    """Check every frame from ``position``, where the one of ``offset`` begins or would, to the end of the file.

    Raises LogDamagedError where records that had been synced are damaged, LogVersionError, OSError.
    """
    fd = os.open(segment.path, os.O_RDONLY)
    try:
        return _scan(fd, segment, offset, position)
    finally:
        os.close(fd)


def scan_live_tail(segment: Segment, offset: int, position: int) -> Tail:
    """``scan_tail`` of a file that another process may be writing: damage is believed when seen three times."""
    for _ in range(2):
        try:
            return scan_tail(segment, offset, position)
        except LogDamagedError as error:
            _log.debug("looking again at a file that may be changing", error=str(error))
    return scan_tail(segment, offset, position)


def _scan(fd: int, segment: Segment, offset: int, position: int) -> Tail:
    window = FrameWindow(fd, segment.path, segment.header.salt, _SCAN_WINDOW_BYTES)
    group_position = position
    checkpoints: list[tuple[int, int]] = []
    next_checkpoint = position + SPACING_BYTES
    while (header := _intact_header(window, segment, offset, position)) is not None:
        if header.group_index == 0:
            group_position = position
        if position >= next_checkpoint:
            checkpoints.append((offset, position))
            next_checkpoint = position + SPACING_BYTES
        position += header.size
        offset += 1
    torn_bytes = _written_end(fd, position) - position
    if torn_bytes > 0:
        _refuse_damage(fd, window, segment, offset, position)
    return Tail(offset, position, group_position, torn_bytes, tuple(checkpoints))


def _written_end(fd: int, position: int) -> int:
    """Where what isn't zeros ends, of the bytes from ``position`` on: zeros are room for what comes."""
    end = position
    while data := read_at(fd, position, _SCAN_WINDOW_BYTES):
        if written := len(data.rstrip(b"\0")):
            end = position + written
        position += len(data)
    return end


def _intact_header(window: FrameWindow, segment: Segment, offset: int, position: int) -> FrameHeader | None:
    # The second look is at fresh bytes: another process may be writing the file.
    for _ in range(2):
        header = window.header(position)
        if header is not None and header.offset != offset:
            raise damaged(segment.path, position, f"record {header.offset} stands where {offset} belongs")
        if header is not None and window.body_is_intact(position, header):
            return header
        window.forget()
    return None


def _refuse_damage(fd: int, window: FrameWindow, segment: Segment, offset: int, position: int) -> None:
    """Return if the bytes from ``position`` on are an unfinished write; raise LogDamagedError if they were synced.

    A group is written only after the group before it was synced. So a later frame of another group proves that
    the record missing here had been durable. A later frame of the same group proves nothing by itself: a power
    failure may keep the second page of a write and lose the first. It then leaves whole sectors of zeros (etcd's
    write-ahead log tells a torn write in the same way), which a flipped bit doesn't.
    """
    same_group_at: int | None = None
    for found, header in window.later_headers(position + 1):
        if header.offset < offset:
            continue
        if header.group_first > offset:
            raise damaged(
                segment.path,
                position,
                f"record {offset} is unreadable, and record {header.offset} follows at byte {found}",
            )
        if same_group_at is None:
            same_group_at = found
    if same_group_at is not None and not _lacks_a_sector(fd, position, same_group_at):
        raise damaged(
            segment.path,
            position,
            f"record {offset} is unreadable, and later records follow at byte {same_group_at}",
        )


def _lacks_a_sector(fd: int, start: int, end: int) -> bool:
    """Whether one of the sectors from ``start`` to ``end`` is nothing but zeros.

    The first is looked at from ``start`` on, where a frame would begin with bytes that aren't zeros. The last one is
    left out if it is shared with what follows: that was written.
    """
    while start < end:
        sector_end = start - start % SECTOR_BYTES + SECTOR_BYTES
        if sector_end <= end and not any(read_at(fd, start, sector_end - start)):
            return True
        start = sector_end
    return False
