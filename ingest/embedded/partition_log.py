"""One partition as the event loop sees it: what is durable, reading it, and waiting for more."""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

from ingest.embedded.frames import NewRecord
from ingest.embedded.partition_folder import OpenedPartition
from ingest.embedded.partition_writer import Committed
from ingest.embedded.recent_records import RecentRecords
from ingest.embedded.segment_file import Segment, segment_offsets
from ingest.embedded.segment_reader import SegmentGoneError, first_at, read_segment
from ingest.log import LogRecord, LogUnavailableError

T = TypeVar("T")


class PartitionLog:
    """The durable records of a partition. Used from one event loop only; files are read on ``readers``."""

    def __init__(self, partition: int, opened: OpenedPartition, readers: Executor, recent_bytes: int) -> None:
        self._partition = partition
        self._readers = readers
        self._segments = list(opened.segments)
        self._first_offsets = [segment.first_offset for segment in opened.segments]
        self._recent = RecentRecords(recent_bytes)
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._end_offset = opened.tail.end_offset

    @property
    def start_offset(self) -> int:
        """The offset of the first record."""
        return self._first_offsets[0]

    @property
    def end_offset(self) -> int:
        """One more than the offset of the last durable record."""
        return self._end_offset

    def publish(self, committed: Committed, records: Sequence[NewRecord]) -> None:
        """Let readers see ``records``, which are durable now."""
        self.rolled(committed.segment)
        committed.segment.index.add(committed.first_offset, committed.position)
        for offset, record in enumerate(records, committed.first_offset):
            self._recent.add(
                LogRecord(self._partition, offset, record.timestamp_ms, record.key, record.value, record.headers)
            )
        self._advance(committed.first_offset + len(records))

    def rolled(self, segment: Segment) -> None:
        """The last file is ``segment`` now, or has been for a while."""
        if segment is not self._segments[-1] and segment.first_offset > self._first_offsets[-1]:
            self._segments.append(segment)
            self._first_offsets.append(segment.first_offset)

    def forget_before(self, offset: int) -> list[Segment]:
        """Leave out the files that have records below ``offset`` only, and return them, oldest first."""
        kept = max(bisect_right(self._first_offsets, offset) - 1, 0)
        gone, self._segments = self._segments[:kept], self._segments[kept:]
        self._first_offsets = self._first_offsets[kept:]
        return gone

    def extend(self, opened: OpenedPartition) -> None:
        """Let readers see what another process added: new segment files, and the end of the last."""
        self._segments += opened.segments
        self._first_offsets += [segment.first_offset for segment in opened.segments]
        for offset, position in opened.tail.checkpoints:
            self._segments[-1].index.add(offset, position)
        self._advance(opened.tail.end_offset)

    async def read(self, from_offset: int, max_bytes: int) -> Sequence[LogRecord]:
        """As ``Log.read``. Stops at the end of a segment file. Raises LogDamagedError, LogUnavailableError."""
        offset = max(from_offset, self.start_offset)
        if offset >= self._end_offset:
            return []
        if recent := self._recent.read(offset, max_bytes):
            return recent
        at = bisect_right(self._first_offsets, offset) - 1
        segment = self._segments[at]
        try:
            return await self._read_file(at, offset, max_bytes)
        except SegmentGoneError:
            if not self._forget_gone(segment):
                raise
            return await self.read(from_offset, max_bytes)

    async def _read_file(self, at: int, offset: int, max_bytes: int) -> Sequence[LogRecord]:
        segment = self._segments[at]
        limit = self._first_offsets[at + 1] if at + 1 < len(self._segments) else self._end_offset
        start = segment.index.floor(offset)
        read = partial(read_segment, segment, self._partition, offset, limit, max_bytes, start)
        result = await self._on_file(segment, read)
        for checkpoint in result.checkpoints:
            segment.index.add(*checkpoint)
        return result.records

    async def offset_at(self, time_ms: int) -> int:
        """As ``Log.offset_at``. Raises LogDamagedError, LogUnavailableError."""
        # Whatever is in a file was on its way before the next file was begun.
        begun = [segment.header.created_ms for segment in self._segments[1:]]
        at = next((number for number, created_ms in enumerate(begun) if created_ms >= time_ms), len(begun))
        segments, end = self._segments[at:], self._end_offset
        limits = [*self._first_offsets[at + 1 :], end]
        for segment, limit in zip(segments, limits, strict=True):
            try:
                found = await self._on_file(segment, partial(first_at, segment, limit, time_ms))
            except SegmentGoneError:
                if not self._forget_gone(segment):
                    raise
                return await self.offset_at(time_ms)
            if found is not None:
                return found
        return end

    def _forget_gone(self, segment: Segment) -> bool:
        """Whether ``segment`` was deleted from the front, here or by the process that writes the log: it's left out."""
        first = segment_offsets(segment.path.parent)[:1]
        if not first or first[0] <= segment.first_offset:
            return False
        self.forget_before(first[0])
        return True

    async def _on_file(self, segment: Segment, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, work)
        except OSError as error:
            raise LogUnavailableError(f"{segment.path} could not be read: {error}") from error

    async def wait(self, offset: int) -> None:
        """Return as soon as the end offset is above ``offset``. Raises LogUnavailableError when the log is closed."""
        if self._end_offset > offset:
            return
        waiter = (offset, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            await waiter[1]
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def close(self) -> None:
        """End every wait."""
        for _, waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(LogUnavailableError("the log was closed"))

    def _advance(self, end_offset: int) -> None:
        self._end_offset = end_offset
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if waiter[0] >= end_offset:
                self._waiting.append(waiter)
            elif not waiter[1].done():
                waiter[1].set_result(None)
