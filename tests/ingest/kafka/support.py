"""What the tests of the Kafka log share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import Topic

POINTS = Topic.POINTS
LOSSLESS = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


@asynccontextmanager
async def opened(settings: KafkaSettings, **changes: Any) -> AsyncGenerator[KafkaLog]:
    """A log that is closed at the end."""
    log = await KafkaLog.open(settings.model_copy(update=changes))
    try:
        yield log
    finally:
        await log.close()


@asynccontextmanager
async def admin(settings: KafkaSettings) -> AsyncGenerator[AIOKafkaAdminClient]:
    """A client for what Headwater doesn't do itself."""
    client = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def foreign_producer(settings: KafkaSettings, **options: Any) -> AsyncGenerator[AIOKafkaProducer]:
    """A producer as anybody may run one; what it sent can be read once it was acknowledged."""
    options.setdefault("acks", "all")
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers, **options)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def create_topic(settings: KafkaSettings, topic: Topic, configs: dict[str, str], partitions: int = 1) -> None:
    """A topic that an operator made."""
    async with admin(settings) as client:
        await client.create_topics([NewTopic(settings.topic(topic), partitions, 1, None, configs)])
