"""A log in memory, for tests of what stands behind the Log port."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.log import Headers, LogRecord, Message, Topic


@dataclass
class _Partition:
    records: list[LogRecord] = field(default_factory=list[LogRecord])
    start: int = 0
    end: int = 0
    waiting: list[tuple[int, asyncio.Future[None]]] = field(default_factory=list[tuple[int, asyncio.Future[None]]])


class MemoryLog:
    """Implements ``ingest.log.BatchLog``. Every record is durable at once; the clock stands still."""

    def __init__(self, partitions: int = 1, identity: str = "memory") -> None:
        self._points = partitions
        self._identity = identity
        self._logs: defaultdict[tuple[Topic, int], _Partition] = defaultdict(_Partition)

    @property
    def identity(self) -> str:
        return self._identity

    def partitions(self, topic: Topic) -> int:
        return self._points if topic is Topic.POINTS else 1

    async def append(
        self, topic: Topic, partition: int, value: bytes | None, *, key: bytes | None = None, headers: Headers = ()
    ) -> int:
        return self.put(topic, partition, value, key=key, headers=headers)

    async def append_together(
        self,
        topic: Topic,
        partition: int,
        values: Sequence[bytes],
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> int:
        at = timestamp_ms or 0
        first, *_ = [self.put(topic, partition, value, headers=headers, timestamp_ms=at) for value in values]
        return first

    async def append_all(self, topic: Topic, partition: int, messages: Sequence[Message]) -> None:
        for message in messages:
            await self.append(topic, partition, message.value, key=message.key, headers=message.headers)

    def put(
        self,
        topic: Topic,
        partition: int,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
        timestamp_ms: int = 0,
    ) -> int:
        """``append`` for code that doesn't run on an event loop."""
        if not 0 <= partition < self.partitions(topic):
            raise ValueError(f"there is no partition {topic}-{partition}")
        log = self._logs[topic, partition]
        record = LogRecord(partition, log.end, timestamp_ms, key, value, headers)
        log.records.append(record)
        log.end += 1
        for _, future in [entry for entry in log.waiting if entry[0] < log.end]:
            if not future.done():
                future.set_result(None)
        log.waiting = [entry for entry in log.waiting if entry[0] >= log.end]
        return record.offset

    async def read(self, topic: Topic, partition: int, from_offset: int, max_bytes: int) -> Sequence[LogRecord]:
        found: list[LogRecord] = []
        size = 0
        for record in self._logs[topic, partition].records:
            if record.offset < from_offset:
                continue
            size += len(record.value or b"")
            if found and size > max_bytes:
                break
            found.append(record)
        return found

    async def wait(self, topic: Topic, partition: int, offset: int) -> None:
        log = self._logs[topic, partition]
        if log.end > offset:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        log.waiting.append((offset, future))
        await future

    async def start_offset(self, topic: Topic, partition: int) -> int:
        return self._logs[topic, partition].start

    async def end_offset(self, topic: Topic, partition: int) -> int:
        return self._logs[topic, partition].end

    async def offset_at(self, topic: Topic, partition: int, time_ms: int) -> int:
        log = self._logs[topic, partition]
        return next((record.offset for record in log.records if record.timestamp_ms >= time_ms), log.end)

    async def close(self) -> None:
        """Nothing to release."""

    def values(self, topic: Topic, partition: int) -> list[bytes | None]:
        """The values of all records, in order."""
        return [record.value for record in self._logs[topic, partition].records]

    def skip(self, topic: Topic, partition: int, count: int = 1) -> None:
        """Leave a gap of ``count`` offsets, as Kafka may."""
        self._logs[topic, partition].end += count

    def drop_before(self, topic: Topic, partition: int, offset: int) -> None:
        """Lose the records below ``offset``, as retention does."""
        log = self._logs[topic, partition]
        log.records = [record for record in log.records if record.offset >= offset]
        log.start, log.end = offset, max(log.end, offset)

    def drop_from(self, topic: Topic, partition: int, offset: int) -> None:
        """Lose the records from ``offset`` on, as no log should."""
        log = self._logs[topic, partition]
        log.records = [record for record in log.records if record.offset < offset]
        log.end = offset
