"""Logs in Kafka for the tests of tools, opened and closed."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import Log, LogRecord, Topic


@asynccontextmanager
async def topics_of(settings: KafkaSettings, *, create: bool = False) -> AsyncGenerator[KafkaLog]:
    """The log in the topics of ``settings``."""
    log = await KafkaLog.open(settings, create=create)
    try:
        yield log
    finally:
        await log.close()


async def read_all(log: Log, topic: Topic = Topic.POINTS, partition: int = 0) -> Sequence[LogRecord]:
    """Every record of a partition."""
    found: list[LogRecord] = []
    position = await log.start_offset(topic, partition)
    while records := await log.read(topic, partition, position, 1 << 20):
        found += records
        position = found[-1].offset + 1
    return found


async def read_topic(log: Log, topic: Topic) -> list[list[LogRecord]]:
    """Every record of every partition of a topic."""
    return [list(await read_all(log, topic, partition)) for partition in range(log.partitions(topic))]
