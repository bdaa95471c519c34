"""The embedded log: the Log port over a folder of segment files."""

import asyncio
import io
import time
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ingest.disk import Disk, make_folder
from ingest.embedded.folder_lock import FolderLock
from ingest.embedded.frames import MAX_HEADER_NAME_BYTES, MAX_HEADERS, NewRecord, frame_size
from ingest.embedded.group_commit import GroupCommit
from ingest.embedded.opening import Key, OpenedLog, prepare_to_read, prepare_to_write
from ingest.embedded.partition_folder import OpenedPartition, look_again
from ingest.embedded.partition_log import PartitionLog
from ingest.embedded.partition_writer import PartitionWriter
from ingest.embedded.truncation import delete_segments
from ingest.embedded.writing_thread import WritingThread
from ingest.log import (
    Headers,
    LogRecord,
    LogUnavailableError,
    Message,
    NoSuchPartitionError,
    RecordTooLargeError,
    Topic,
)

SEGMENT_BYTES = 64 << 20
MAX_RECORD_BYTES = 32 << 20
REJECTED_EXTRA_BYTES = 1 << 20
QUEUE_BYTES = 64 << 20
RECENT_BYTES = 2 << 20
LOOK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class LogLimits:
    """Sizes in bytes.

    ``segment_bytes``: a segment file takes no further group if it would be longer than this with it.
    ``max_record_bytes``: the largest record, as a frame; on ``rejected`` a MiB more, for the headers it adds.
    ``queue_bytes``: how much may be queued before appends wait.
    ``recent_bytes``: what each partition keeps in memory of its latest records.
    """

    segment_bytes: int
    max_record_bytes: int
    queue_bytes: int
    recent_bytes: int

    def __post_init__(self) -> None:
        if not 0 < self.max_record_bytes <= (2 << 30) - REJECTED_EXTRA_BYTES:
            raise ValueError(f"max_record_bytes must be positive and less than 2 GiB, not {self.max_record_bytes}")
        if min(self.segment_bytes, self.queue_bytes) < 1 or self.recent_bytes < 0:
            raise ValueError("the sizes of segments and of the queue must be positive")


class EmbeddedLog:
    """A log in a folder. Implements ``ingest.log.Log``. Used from the event loop that opened it.

    The folder holds ``identity.json``, ``LOCK`` and one folder ``<topic>-<partition>`` per partition.
    """

    def __init__(self, opened: OpenedLog, limits: LogLimits, disk: Disk, lock: FolderLock | None) -> None:
        """See ``open``. Without a ``lock`` the log is read-only."""
        self._identity = opened.identity
        self._limits = limits
        self._disk = disk
        self._lock = lock
        self._closed = False
        self._released = False
        self._readers = ThreadPoolExecutor(2, "log-read")
        self._writing_thread = WritingThread("log-write")
        self._group_commit = GroupCommit(self._writing_thread, limits.queue_bytes)
        self._logs: dict[Key, PartitionLog] = {}
        self._writers: dict[Key, PartitionWriter] = {}
        for key, partition in opened.partitions.items():
            self._logs[key] = PartitionLog(key[1], partition, self._readers, limits.recent_bytes)
            if lock is not None:
                self._writers[key] = PartitionWriter(disk, opened.identity.uuid, partition, limits.segment_bytes)
        self._seen = dict(opened.partitions)
        self._refreshing = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        folder: Path,
        partitions: int | None = None,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        max_record_bytes: int = MAX_RECORD_BYTES,
        queue_bytes: int = QUEUE_BYTES,
        recent_bytes: int = RECENT_BYTES,
        read_only: bool = False,
        disk: Disk | None = None,
    ) -> "EmbeddedLog":
        """Open the log in ``folder``, or create it; see LogLimits for the sizes.

        ``partitions`` is the number for points; it may be larger than when the log was created, never smaller; None
        takes it as it is (1 for a new log). ``read_only`` opens a log that another process may be writing: it takes no
        lock, changes nothing, ignores ``partitions`` and ends where the last intact record does.

        Raises LogLockedError, LogDamagedError, LogVersionError, PartitionsError, and LogUnavailableError where the
        disk fails or there is no log to read.
        """
        limits = LogLimits(segment_bytes, max_record_bytes, queue_bytes, recent_bytes)
        disk = disk or Disk()
        try:
            if read_only:
                return cls(await asyncio.to_thread(prepare_to_read, folder), limits, disk, None)
            await asyncio.to_thread(make_folder, folder, disk)
            lock = FolderLock(folder)
            try:
                return cls(await asyncio.to_thread(prepare_to_write, disk, folder, partitions), limits, disk, lock)
            except BaseException:
                lock.release()
                raise
        except OSError as error:
            raise LogUnavailableError(f"the log in {folder} could not be opened: {error}") from error

    @property
    def identity(self) -> str:
        """A random UUID, made when the log was created."""
        return str(self._identity.uuid)

    def partitions(self, topic: Topic) -> int:
        """The number of partitions of ``topic``."""
        return self._identity.partitions[topic]

    async def append(
        self,
        topic: Topic,
        partition: int,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
    ) -> int:
        """As ``Log.append``. Waits while ``queue_bytes`` are queued. Raises io.UnsupportedOperation when read-only.

        An append that is cancelled may still be written.
        """
        record = NewRecord(time.time_ns() // 1_000_000, key, value, headers)
        return await self._append(topic, partition, (record,))

    async def append_all(self, topic: Topic, partition: int, messages: Sequence[Message]) -> None:
        """As ``Log.append_all``."""
        now = time.time_ns() // 1_000_000
        await self._append(topic, partition, [NewRecord(now, m.key, m.value, m.headers) for m in messages])

    def _append(self, topic: Topic, partition: int, records: Sequence[NewRecord]) -> Awaitable[int]:
        """The offset of the first."""
        log = self._log(topic, partition)
        if self._lock is None:
            raise io.UnsupportedOperation("the log was opened read-only")
        size = sum([self._checked_size(topic, record) for record in records])
        return self._group_commit.append(log, self._writers[topic, partition], records, size)

    async def read(self, topic: Topic, partition: int, from_offset: int, max_bytes: int) -> Sequence[LogRecord]:
        """As ``Log.read``: records that are durable, from memory where they are recent."""
        return await self._log(topic, partition).read(from_offset, max_bytes)

    async def wait(self, topic: Topic, partition: int, offset: int) -> None:
        """As ``Log.wait``. Raises LogUnavailableError when the log is closed meanwhile.

        A read-only log looks at the files from time to time: nobody in this process knows when they grow.
        """
        log = self._log(topic, partition)
        while self._lock is None and log.end_offset <= offset:
            await self.refresh()
            if log.end_offset <= offset:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
        await log.wait(offset)

    async def refresh(self) -> None:
        """Take in what another process added since a read-only log was opened; nothing to do for others.

        Raises LogDamagedError, LogVersionError, LogUnavailableError.
        """
        if self._lock is not None:
            return
        loop = asyncio.get_running_loop()
        async with self._refreshing:
            for key, seen in self._seen.items():
                self._refuse_if_closed()
                try:
                    added = await loop.run_in_executor(self._readers, look_again, seen, self._identity.uuid)
                except OSError as error:
                    raise LogUnavailableError(f"{seen.segments[-1].path.parent} could not be read: {error}") from error
                self._logs[key].extend(added)
                self._seen[key] = OpenedPartition(added.segments or seen.segments, added.tail)

    async def roll(self, topic: Topic, partition: int) -> None:
        """Begin a new file, so that what was written so far can be deleted without what comes next.

        Raises LogUnavailableError, io.UnsupportedOperation when read-only.
        """
        log = self._log(topic, partition)
        if self._lock is None:
            raise io.UnsupportedOperation("the log was opened read-only")
        roll = self._writers[topic, partition].roll
        try:
            log.rolled(await asyncio.get_running_loop().run_in_executor(self._writing_thread, roll))
        except OSError as error:
            raise LogUnavailableError(f"a new file of {topic}-{partition} could not be begun: {error}") from error

    async def delete_before(self, topic: Topic, partition: int, offset: int) -> int:
        """Delete the files that have records below ``offset`` only; the offset at which the partition begins then.

        They are gone for good. Raises LogUnavailableError, io.UnsupportedOperation when read-only.
        """
        log = self._log(topic, partition)
        if self._lock is None:
            raise io.UnsupportedOperation("the log was opened read-only")
        if offset >= log.end_offset:
            await self.roll(topic, partition)
        gone = log.forget_before(offset)
        try:
            await asyncio.get_running_loop().run_in_executor(self._writing_thread, delete_segments, self._disk, gone)
        except OSError as error:
            raise LogUnavailableError(f"files of {topic}-{partition} could not be deleted: {error}") from error
        return log.start_offset

    @property
    def room(self) -> int:
        """How many bytes of the files are reserved for records to come."""
        return sum(writer.room for writer in self._writers.values())

    async def start_offset(self, topic: Topic, partition: int) -> int:
        """The offset of the first record still on the log."""
        return self._log(topic, partition).start_offset

    async def end_offset(self, topic: Topic, partition: int) -> int:
        """One more than the offset of the last durable record; ``start_offset`` when empty."""
        return self._log(topic, partition).end_offset

    async def offset_at(self, topic: Topic, partition: int, time_ms: int) -> int:
        """As ``Log.offset_at``. Looks at the records of one file mostly: files say when they were begun."""
        return await self._log(topic, partition).offset_at(time_ms)

    async def close(self) -> None:
        """Finish the appends in flight, end waits with LogUnavailableError, and release files and the lock."""
        self._closed = True
        await self._group_commit.drain()
        if self._released:
            return
        self._released = True
        for log in self._logs.values():
            log.close()
        self._writing_thread.shutdown()
        self._readers.shutdown(wait=False)
        for writer in self._writers.values():
            writer.close()
        if self._lock is not None:
            self._lock.release()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise LogUnavailableError("the log is closed")

    def _log(self, topic: Topic, partition: int) -> PartitionLog:
        self._refuse_if_closed()
        try:
            return self._logs[topic, partition]
        except KeyError:
            raise NoSuchPartitionError(f"{topic} has {self.partitions(topic)} partitions, and no {partition}") from None

    def _checked_size(self, topic: Topic, record: NewRecord) -> int:
        if len(record.headers) > MAX_HEADERS:
            raise RecordTooLargeError(f"a record has at most {MAX_HEADERS} headers, not {len(record.headers)}")
        for name, _ in record.headers:
            if len(name.encode()) > MAX_HEADER_NAME_BYTES:
                raise RecordTooLargeError(f"the name of a header has at most {MAX_HEADER_NAME_BYTES} bytes")
        limit = self._limits.max_record_bytes + (REJECTED_EXTRA_BYTES if topic is Topic.REJECTED else 0)
        size = frame_size(record)
        if size > limit:
            raise RecordTooLargeError(f"the record takes {size} bytes on the log, and at most {limit} are allowed")
        return size
