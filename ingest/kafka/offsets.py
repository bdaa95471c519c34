"""Where a partition starts and ends."""

from typing import Any

from aiokafka.errors import NoError, for_code
from aiokafka.protocol.offset import OffsetRequest

from ingest.kafka.connection import Connection

READ_COMMITTED = 1
"""The isolation level of every reader: a record is there once its transaction, if it is in one, is committed.

What a producer took back must not become state. The price: while a foreign transaction is open, nothing after its
first record can be read in that partition; ``transaction.max.timeout.ms`` of the brokers bounds that.
"""
_LATEST = -1
_EARLIEST = -2


async def start_offset(connection: Connection, topic: str, partition: int, channel: int) -> int:
    """The offset of the first record still there, or of the one that will come. Raises KafkaError."""
    return await _offset(connection, topic, partition, _EARLIEST, channel)


async def end_offset(connection: Connection, topic: str, partition: int, channel: int) -> int:
    """The offset after the last one that can be read. Raises KafkaError."""
    return await _offset(connection, topic, partition, _LATEST, channel)


async def offset_at(connection: Connection, topic: str, partition: int, channel: int, time_ms: int) -> int | None:
    """The offset of the earliest record that has this time or a later one, None when none has. Raises KafkaError."""
    found = await _offset(connection, topic, partition, time_ms, channel)
    return None if found < 0 else found


async def _offset(connection: Connection, topic: str, partition: int, which: int, channel: int) -> int:
    request = OffsetRequest(-1, READ_COMMITTED, [(topic, [(partition, which)])])
    response = await connection.to_leader(topic, partition, request, channel)
    answers: list[Any] = response.get_item("topics")
    _, code, _, offset = answers[0][1][0]
    error = for_code(code)
    if error is not NoError:
        raise error(f"{topic}-{partition}")
    return offset
