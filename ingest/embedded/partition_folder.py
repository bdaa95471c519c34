"""Opening the folder of one partition: its files checked, its torn tail cut."""

import os
import uuid
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import structlog

from ingest.disk import Disk, read_at, sync_folder, write_all
from ingest.embedded.errors import damaged
from ingest.embedded.segment_file import (
    HEADER_BYTES,
    NO_PREVIOUS,
    TEMPORARY_SUFFIX,
    Segment,
    create_segment,
    open_segment,
    segment_offsets,
)
from ingest.embedded.tail_scan import Tail, scan_live_tail, scan_tail
from ingest.log import LogDamagedError

_log: structlog.types.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OpenedPartition:
    """The segment files of a partition, oldest first, and where the last one ends."""

    segments: list[Segment]
    tail: Tail


def create_partition(disk: Disk, folder: Path, identity: uuid.UUID) -> None:
    """Make ``folder`` a partition with no records, durably. Goes on where an earlier attempt was interrupted."""
    if not folder.exists():
        folder.mkdir()
        sync_folder(folder.parent, disk)
    if not segment_offsets(folder):
        _, fd = create_segment(disk, folder, identity, 0, None, 0)
        os.close(fd)


def open_to_write(disk: Disk, folder: Path, identity: uuid.UUID) -> OpenedPartition:
    """Open a partition, cut a torn tail and make the rest durable. Raises LogDamagedError, OSError."""
    segments = _open_segments(folder, identity)
    for name in os.listdir(folder):
        if name.endswith(TEMPORARY_SUFFIX):
            (folder / name).unlink()
    last = segments[-1]
    tail = scan_tail(last, last.first_offset, HEADER_BYTES)
    if tail.torn_bytes:
        _log.warning(
            "cut an unfinished write off the end of the log",
            file=str(last.path),
            position=tail.end_position,
            bytes=tail.torn_bytes,
            end_offset=tail.end_offset,
        )
    _rewrite_tail(disk, last.path, tail)
    for offset, position in tail.checkpoints:
        last.index.add(offset, position)
    return OpenedPartition(segments, replace(tail, torn_bytes=0, checkpoints=()))


def open_to_read(folder: Path, identity: uuid.UUID) -> OpenedPartition:
    """Open a partition that another process may be writing. Changes nothing; a torn tail is left out."""
    segments = _open_segments(folder, identity)
    last = segments[-1]
    return OpenedPartition(segments, scan_live_tail(last, last.first_offset, HEADER_BYTES))


def look_again(opened: OpenedPartition, identity: uuid.UUID) -> OpenedPartition:
    """What another process added since ``opened`` was read: the new segment files only, and where the last ends."""
    last = opened.segments[-1]
    folder = last.path.parent
    newer = [offset for offset in segment_offsets(folder) if offset > last.first_offset]
    if not newer:
        return OpenedPartition([], scan_live_tail(last, opened.tail.end_offset, opened.tail.end_position))
    segments = [open_segment(folder, offset, identity) for offset in newer]
    return OpenedPartition(segments, scan_live_tail(segments[-1], segments[-1].first_offset, HEADER_BYTES))


def _open_segments(folder: Path, identity: uuid.UUID) -> list[Segment]:
    """The segment files of ``folder``, after a check that none is missing or cut short."""
    offsets = segment_offsets(folder) if folder.is_dir() else []
    if not offsets:
        raise LogDamagedError(f"{folder} has no segment files; put the folder back from a copy")
    segments = [open_segment(folder, offset, identity) for offset in offsets]
    for before, after in pairwise(segments):
        if after.header.previous_first_offset != before.first_offset:
            raise LogDamagedError(
                f"the file before {after.path}, from offset {_describe(after)}, is missing; put it back from a copy"
            )
        size = before.path.stat().st_size
        if size != after.header.previous_size:
            raise damaged(before.path, min(size, after.header.previous_size), _wrong_size(size, after))
    return segments


def _describe(segment: Segment) -> str:
    previous = segment.header.previous_first_offset
    return "none" if previous == NO_PREVIOUS else str(previous)


def _wrong_size(size: int, after: Segment) -> str:
    return f"it has {size} bytes, and had {after.header.previous_size} when {after.path.name} was begun"


def _rewrite_tail(disk: Disk, path: Path, tail: Tail) -> None:
    """Cut what is torn, and room, and write the last group again, so that every record that can be read is on the disk.

    Only the last group may never have been synced. Syncing isn't enough for it: if an earlier sync failed, its pages
    may be in memory, marked clean, and not on the disk. Writing the same bytes again makes them dirty.
    """
    fd = os.open(path, os.O_RDWR)
    try:
        if os.fstat(fd).st_size > tail.end_position:
            os.ftruncate(fd, tail.end_position)
        group = read_at(fd, tail.group_position, tail.end_position - tail.group_position)
        write_all(disk, fd, tail.group_position, (group,))
        disk.sync(fd)
    finally:
        os.close(fd)
