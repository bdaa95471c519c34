"""The Kafka log: the Log port over three topics of a Kafka cluster."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Self

import structlog
from prometheus_client import Gauge

from ingest.byte_budget import ByteBudget
from ingest.kafka.appender import PartitionAppender
from ingest.kafka.connection import Connection
from ingest.kafka.offsets import end_offset, offset_at, start_offset
from ingest.kafka.reader import PartitionReader
from ingest.kafka.settings import KafkaSettings
from ingest.kafka.topics import Topics, count_partitions, look_again, prepare_topics
from ingest.log import Headers, LogRecord, LogUnavailableError, Message, NoSuchPartitionError, Topic

Key = tuple[Topic, int]

WRONG_SETTINGS = Gauge(
    "headwater_topic_settings_wrong", "1 while a topic's settings would lose records", multiprocess_mode="livemax"
)

_logger = structlog.get_logger("headwater.kafka")


class KafkaLog:
    """A log in Kafka. Implements ``ingest.log.BatchLog``. Used from the event loop that opened it.

    Any number of processes may append and read; each has a KafkaLog of its own.
    """

    def __init__(self, connection: Connection, settings: KafkaSettings, topics: Topics) -> None:
        """See ``open``."""
        self._connection = connection
        self._settings = settings
        self._identity = topics.identity
        self._partitions = topics.partitions
        self._max_bytes = topics.max_bytes
        self._budget = ByteBudget(settings.queue_bytes)
        self._offsets_channel = connection.new_channel()
        self._appenders: dict[Key, PartitionAppender] = {}
        self._readers: dict[Key, PartitionReader] = {}
        self._closed = False
        self.fault = ""
        """What of the topics' settings loses records, or stops writing; empty when nothing does, as last looked at."""
        self._appending = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @classmethod
    async def open(cls, settings: KafkaSettings, *, create: bool = True) -> Self:
        """Reach Kafka and check the topics; where ``create``, make those that are missing, and partitions that are.

        Raises KafkaTopicError where the topics are not fit for a log, and LogUnavailableError.
        """
        connection = await Connection.open(settings)
        try:
            topics = await prepare_topics(connection, settings, create=create)
            await connection.follow([settings.topic(topic) for topic in Topic])
        except BaseException:
            await connection.close()
            raise
        return cls(connection, settings, topics)

    @property
    def identity(self) -> str:
        """The ids of the cluster and of the catalog and points topics: topics created anew are another log."""
        return self._identity

    def partitions(self, topic: Topic) -> int:
        """The number of partitions of ``topic``, as last heard; it may have grown."""
        return self._partitions[topic]

    @property
    def trouble(self) -> str:
        """Why nothing can be written now, as far as is known; empty when it can."""
        return self.fault or self._connection.reachability.trouble()

    async def recount(self) -> None:
        """Ask how many partitions there are now, and look at the topics' settings again: see ``fault``.

        Raises KafkaTopicError when other topics have their names, LogUnavailableError.
        """
        attempt = self._connection.retried(
            lambda: look_again(self._connection, self._settings, self._identity), "the topics could not be looked at"
        )
        counted, fault = await attempt
        if fault != self.fault:
            self._tell(fault)
        if counted != self._partitions:
            self._partitions = counted
            await self._connection.refresh()

    def _tell(self, fault: str) -> None:
        self.fault = fault
        WRONG_SETTINGS.set(bool(fault))
        if fault:
            _logger.error("a topic's settings are wrong", reason=fault)
        else:
            _logger.info("the topics' settings are right again")

    async def append(
        self,
        topic: Topic,
        partition: int,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
    ) -> int:
        """As ``Log.append``, within the settings' timeout. Waits while ``queue_bytes`` are queued.

        An append that is cancelled may still be written.
        """
        return await self.append_messages(topic, partition, [Message(value, key, headers)])

    async def append_together(
        self,
        topic: Topic,
        partition: int,
        values: Sequence[bytes],
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> int:
        """As ``BatchLog.append_together``; as ``append`` otherwise."""
        messages = [Message(value, None, headers, timestamp_ms) for value in values]
        return await self.append_messages(topic, partition, messages)

    async def append_all(self, topic: Topic, partition: int, messages: Sequence[Message]) -> None:
        """As ``Log.append_all``, within the settings' timeout."""
        async with self._appender(topic, partition) as appender:
            await appender.append_all(messages)

    def max_record_bytes(self, topic: Topic) -> int:
        """The largest record of ``topic``, and the most that records which are written together may take."""
        return self._max_bytes[topic]

    async def append_messages(self, topic: Topic, partition: int, messages: Sequence[Message]) -> int:
        """Write ``messages`` as ``BatchLog.append_together`` writes its values; return the first's offset."""
        async with self._appender(topic, partition) as appender:
            return await appender.append(messages)

    @asynccontextmanager
    async def _appender(self, topic: Topic, partition: int) -> AsyncGenerator[PartitionAppender]:
        """While one is in use, ``close`` waits."""
        await self._check(topic, partition)
        appender = self._appenders.get((topic, partition))
        if appender is None:
            name, limit = self._settings.topic(topic), self._max_bytes[topic]
            appender = PartitionAppender(self._connection, self._settings, name, partition, limit, self._budget)
            self._appenders[topic, partition] = appender
        self._appending += 1
        self._idle.clear()
        try:
            yield appender
        finally:
            self._appending -= 1
            if not self._appending:
                self._idle.set()

    async def read(self, topic: Topic, partition: int, from_offset: int, max_bytes: int) -> Sequence[LogRecord]:
        """As ``Log.read``, within the settings' timeout. There may be offsets without a record."""
        return await (await self._reader(topic, partition)).read(from_offset, max_bytes)

    async def wait(self, topic: Topic, partition: int, offset: int) -> None:
        """Return as soon as there is a record at or after ``offset``, however long Kafka is down meanwhile.

        Raises LogDamagedError, and LogUnavailableError when the log is closed or may not be read.
        """
        await (await self._reader(topic, partition)).wait(offset)

    async def start_offset(self, topic: Topic, partition: int) -> int:
        """As ``Log.start_offset``."""
        await self._check(topic, partition)
        where = (self._connection, self._settings.topic(topic), partition, self._offsets_channel)
        return await self._connection.retried(lambda: start_offset(*where), f"{topic}-{partition} could not be asked")

    async def end_offset(self, topic: Topic, partition: int) -> int:
        """The offset after the last one that can be read; the last offsets may be without a record."""
        await self._check(topic, partition)
        where = (self._connection, self._settings.topic(topic), partition, self._offsets_channel)
        return await self._connection.retried(lambda: end_offset(*where), f"{topic}-{partition} could not be asked")

    async def offset_at(self, topic: Topic, partition: int, time_ms: int) -> int:
        """As ``Log.offset_at``. There may be no record at the offset, then it is the next one's."""
        # Asked for before: what comes meanwhile isn't at an earlier offset.
        end = await self.end_offset(topic, partition)
        where = (self._connection, self._settings.topic(topic), partition, self._offsets_channel)
        attempt = self._connection.retried(
            lambda: offset_at(*where, max(time_ms, 0)), f"{topic}-{partition} could not be asked"
        )
        found = await attempt
        return end if found is None else found

    async def close(self) -> None:
        """Finish the appends in flight, or let their time run out; end waits with LogUnavailableError."""
        self._closed = True
        await self._idle.wait()
        await asyncio.gather(*[appender.close() for appender in self._appenders.values()])
        await asyncio.gather(*[reader.close() for reader in self._readers.values()])
        await self._connection.close()

    async def _reader(self, topic: Topic, partition: int) -> PartitionReader:
        await self._check(topic, partition)
        reader = self._readers.get((topic, partition))
        if reader is None:
            reader = PartitionReader(self._connection, self._settings, self._settings.topic(topic), partition)
            self._readers[topic, partition] = reader
        return reader

    async def _check(self, topic: Topic, partition: int) -> None:
        if self._closed:
            raise LogUnavailableError("the log is closed")
        if 0 <= partition < self._partitions[topic]:
            return
        name = self._settings.topic(topic)
        attempt = self._connection.retried(
            lambda: count_partitions(self._connection, name), f"the partitions of {name} could not be counted"
        )
        self._partitions[topic] = await attempt
        if not 0 <= partition < self._partitions[topic]:
            raise NoSuchPartitionError(f"{topic} has {self._partitions[topic]} partitions, and no {partition}")
        await self._connection.refresh()
