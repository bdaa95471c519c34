"""Copying an embedded log into the topics of a Kafka cluster: every record as it is, in order, at the same offset.

What is on a topic already must be the beginning of what is copied: so a copy that was cut short goes on where it
stopped, and topics with other records are refused.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from compose.errors import UserError
from compose.progress import Advance
from ingest.embedded.folder_lock import FolderLock
from ingest.embedded.log import MAX_RECORD_BYTES, EmbeddedLog
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import Headers, Log, LogRecord, LogUnavailableError, Message, Topic
from ingest.produce.pipeline import Pipeline

READ_BYTES = 4 << 20
_FRAMING_BYTES = 1 << 20
"""More than Kafka adds to a record."""
# The catalog comes last: until it is there, what runs on the topics finds no collections, rather than some of them.
_ORDER = (Topic.POINTS, Topic.REJECTED, Topic.CATALOG)


@dataclass(frozen=True, slots=True)
class Copied:
    """How many records the topics hold now, and how many of them were there before."""

    records: int
    before: int


@asynccontextmanager
async def locked_log(folder: Path) -> AsyncGenerator[EmbeddedLog]:
    """An embedded log that nobody writes meanwhile, nor is it changed here.

    Raises LogLockedError, LogDamagedError, LogUnavailableError.
    """
    if not folder.is_dir():
        raise UserError(f"there is no log in {folder}")
    lock = FolderLock(folder)
    try:
        log = await EmbeddedLog.open(folder, read_only=True)
        try:
            yield log
        finally:
            await log.close()
    finally:
        lock.release()


async def total_records(log: Log) -> int:
    """How many records a log has, on all its topics."""
    return sum([await log.end_offset(topic, p) for topic in Topic for p in range(log.partitions(topic))])


async def copy_log(source: EmbeddedLog, kafka: KafkaSettings, advance: Advance) -> Copied:
    """Copy ``source`` into the topics of ``kafka``, which are made where they are missing.

    Raises UserError where ``source`` was shortened, the topics hold anything else, or Kafka fails in the middle;
    KafkaTopicError, LogUnavailableError, LogDamagedError.
    """
    await _refuse_shortened(source)
    target = await _open_target(source, kafka)
    try:
        places = [(topic, partition) for topic in _ORDER for partition in range(target.partitions(topic))]
        copies = [_Copy(source, target, topic, partition) for topic, partition in places]
        for copy in copies:
            await copy.check()
        before = sum(copy.done for copy in copies)
        for copy in copies:
            elsewhere = sum(other.done for other in copies if other is not copy)
            await copy.run(lambda done, others=elsewhere: advance(others + done))
        return Copied(sum(copy.done for copy in copies), before)
    finally:
        await target.close()


async def _refuse_shortened(source: EmbeddedLog) -> None:
    for topic in Topic:
        for partition in range(source.partitions(topic)):
            start = await source.start_offset(topic, partition)
            if start:
                raise UserError(
                    f"nothing was copied: the log was shortened, it begins at offset {start} of {topic}-{partition}. A "
                    "copy could not make the state, as snapshots are of the log that they were made from. Start on "
                    "empty topics and write the points there: scroll them from headwater serve, with vectors and "
                    "payloads, and upsert them."
                )


async def _open_target(source: EmbeddedLog, kafka: KafkaSettings) -> KafkaLog:
    needed = source.partitions(Topic.POINTS)
    if kafka.partitions is not None and kafka.partitions < needed:
        raise UserError(f"the log has {needed} points partitions, and {kafka.partitions} were asked for")
    size = max(kafka.max_record_bytes, MAX_RECORD_BYTES + _FRAMING_BYTES)
    kafka = kafka.model_copy(update={"max_record_bytes": size})
    target = await KafkaLog.open(kafka)
    if target.partitions(Topic.POINTS) >= needed:
        return target
    await target.close()
    return await KafkaLog.open(kafka.model_copy(update={"partitions": needed}))


class _Copy:
    """One partition; those that only the target has must be empty."""

    def __init__(self, source: EmbeddedLog, target: KafkaLog, topic: Topic, partition: int) -> None:
        self._source = source
        self._target = target
        self._topic = topic
        self._partition = partition
        self.done = 0

    async def check(self) -> None:
        """Compare what is on the target with the source, and find where to go on. Raises UserError."""
        start = await self._target.start_offset(self._topic, self._partition)
        end = await self._target.end_offset(self._topic, self._partition)
        if start > 0:
            raise self._refusal(f"it begins at offset {start}: records were deleted from it")
        while self.done < end:
            there = await self._target.read(self._topic, self._partition, self.done, READ_BYTES)
            for record, original in zip(there, await self._originals(len(there)), strict=False):
                if _content(record) != _content(original) or record.offset != original.offset:
                    raise self._refusal(f"the record at offset {record.offset} is another one")
                self.done += 1
            if not there or self.done <= there[-1].offset:
                raise self._refusal(f"it has {end - self.done} records or gaps after those of the log")

    async def run(self, advance: Advance) -> None:
        """Copy the rest. Raises UserError when Kafka fails."""
        if self._partition >= self._source.partitions(self._topic):
            return
        pipeline = Pipeline(self._target, self._topic)
        end = await self._source.end_offset(self._topic, self._partition)
        try:
            while self.done < end:
                records = await self._source.read(self._topic, self._partition, self.done, READ_BYTES)
                messages = [(r.offset, Message(r.value, r.key, r.headers, r.timestamp_ms)) for r in records]
                await pipeline.send(self._partition, messages)
                self._refuse_what_is_too_large(pipeline)
                self.done = records[-1].offset + 1
                advance(self.done)
            await pipeline.finish()
            self._refuse_what_is_too_large(pipeline)
        except LogUnavailableError as error:
            await pipeline.abort()
            raise UserError(f"{error}. Run the same command again: it goes on where it stopped.") from error

    async def _originals(self, count: int) -> Sequence[LogRecord]:
        """The next ``count`` records of the source, fewer at its end."""
        found: list[LogRecord] = []
        if self._partition >= self._source.partitions(self._topic):
            return found
        while len(found) < count:
            records = await self._source.read(self._topic, self._partition, self.done + len(found), READ_BYTES)
            if not records:
                break
            found += records
        return found[:count]

    def _refuse_what_is_too_large(self, pipeline: Pipeline) -> None:
        for offset, reason in pipeline.refused:
            raise self._refusal(f"it doesn't take the record at offset {offset}: {reason}")

    def _refusal(self, why: str) -> UserError:
        return UserError(
            f"{self._topic}-{self._partition} in Kafka can't become a copy: {why}. Copy into topics that are empty: "
            "choose another --prefix, or delete these topics if nothing in them is needed."
        )


def _content(record: LogRecord) -> tuple[bytes | None, bytes | None, Headers]:
    return record.value, record.key, record.headers
