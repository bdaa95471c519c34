"""What the tests of the Kafka log share."""

import gzip
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.codec import lz4_encode, snappy_encode, zstd_encode
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from crc32c import crc32c

from ingest.kafka import KafkaLog, KafkaSettings
from ingest.kafka.connection import Connection
from ingest.log import Topic

POINTS = Topic.POINTS
CODECS: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: gzip.compress,
    2: snappy_encode,
    3: lz4_encode,
    4: zstd_encode,
}
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


async def produce_batch(settings: KafkaSettings, topic: Topic, data: bytes) -> None:
    """Write a batch to partition 0 byte for byte, as a client does that checks nothing."""
    name = settings.topic(topic)
    request = ProduceRequest(None, -1, 10_000, [(name, [(0, data)])])
    connection = await Connection.open(settings)

    async def produce() -> None:
        # A broker that has just made a topic says for a while that it doesn't lead it.
        response = await connection.to_leader(name, 0, request, 0)
        answers: list[Any] = response.get_item("topics")
        error = for_code(answers[0][1][0][1])
        if error is not NoError:
            raise error(f"{name}-0")

    try:
        await connection.follow([name])
        await connection.retried(produce, f"{name}-0 could not be written")
    finally:
        await connection.close()


def batch(first_offset: int, values: list[bytes], name: bytes = b"name", codec: int = 0) -> bytes:
    """A batch as a broker sends it; ``name`` takes 4 bytes, and is changed before compression."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, 1, 0, 0, 1 << 30)
    for i, value in enumerate(values):
        builder.append(i, 1000 + i, b"key" if i % 2 else None, value or None, [("name", value[:100]), ("none", b"")])
    data = bytes(builder.build())
    records = CODECS[codec](data[61:].replace(b"name", name))
    attributes = struct.pack(">h", codec) + data[23:61] + records
    return struct.pack(">qiibI", first_offset, 9 + len(attributes), 0, 2, crc32c(attributes)) + attributes
