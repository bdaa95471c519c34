"""Appending to one partition: what waits goes together, in order, at most once, and within a time limit."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from aiokafka.errors import (
    DuplicateSequenceNumber,
    MessageSizeTooLargeError,
    NoError,
    RecordListTooLargeError,
    for_code,
)
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from ingest.byte_budget import ByteBudget
from ingest.kafka.connection import Connection
from ingest.kafka.errors import REFUSALS, describe, error_of
from ingest.kafka.settings import KafkaSettings
from ingest.log import LogRefusedError, LogUnavailableError, Message, RecordTooLargeError

_ALL = -1
_SEQUENCES = 1 << 31
_NO_LIMIT = (1 << 31) - 1
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


@dataclass(slots=True)
class _Waiting:
    """Records that go together; ``offset`` will be that of the first."""

    timestamp_ms: int
    messages: Sequence[Message]
    size: int
    offset: asyncio.Future[int]


@dataclass(slots=True)
class _Producer:
    """An idempotent producer, as brokers know it: they take its batches in order, and each once."""

    id: int
    epoch: int
    sequence: int = 0


class PartitionAppender:
    """One batch is on its way at a time; what comes meanwhile makes up the next.

    A batch is sent again, under the same sequence number, until it is acknowledged or its time is up. Then its
    appends fail and the producer is given up, so that nothing of it is sent later. What is still queued when its
    time is up is never sent.
    """

    def __init__(
        self,
        connection: Connection,
        settings: KafkaSettings,
        topic: str,
        partition: int,
        max_bytes: int,
        budget: ByteBudget,
    ) -> None:
        """``topic`` is the topic's name in Kafka, ``max_bytes`` the largest batch it takes."""
        self._connection = connection
        self._settings = settings
        self._topic = topic
        self._partition = partition
        self._max_bytes = max_bytes
        self._budget = budget
        self._what = f"{topic}-{partition} could not be written"
        self._channel = connection.new_channel()
        self._queue: deque[_Waiting] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._producer: _Producer | None = None

    async def append_all(self, messages: Sequence[Message]) -> None:
        """As ``KafkaLog.append_all``: several requests' worth of them are queued at once."""
        limit = min(self._settings.batch_bytes, self._max_bytes)
        groups: list[list[Message]] = [[]]
        size = 0
        for message in messages:
            more = _size([message])
            if groups[-1] and size + more > limit:
                groups.append([])
                size = 0
            groups[-1].append(message)
            size += more
        results = await asyncio.gather(*[self.append(group) for group in groups if group], return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def append(self, messages: Sequence[Message]) -> int:
        """As ``KafkaLog.append_messages``."""
        size = _size(messages)
        if size > self._max_bytes:
            what = "the record takes" if len(messages) == 1 else f"{len(messages)} records take"
            raise RecordTooLargeError(f"{what} {size} bytes in Kafka, and at most {self._max_bytes} are allowed")
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._budget.take(size)
                offset = asyncio.get_running_loop().create_future()
                self._queue.append(_Waiting(time.time_ns() // 1_000_000, messages, size, offset))
                if self._sending is None:
                    self._sending = asyncio.create_task(self._send_all())
                return await offset
        except TimeoutError:
            late = f"{self._what}: not acknowledged by Kafka within {self._settings.timeout:g} s"
            raise self._connection.late(late) from None

    async def close(self) -> None:
        """Stop sending. Every append is done or has failed."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait({self._sending})

    async def _send_all(self) -> None:
        try:
            while self._queue:
                if self._producer is None:
                    try:
                        self._producer = await self._connection.retried(self._new_producer, self._what)
                    except Exception as error:
                        self._fail([self._queue.popleft() for _ in range(len(self._queue))], error)
                        continue
                batch = self._next_batch()
                if batch:
                    await self._send(batch, self._producer)
        finally:
            self._sending = None

    def _next_batch(self) -> list[_Waiting]:
        limit = min(self._settings.batch_bytes, self._max_bytes)
        batch: list[_Waiting] = []
        size = 0
        while self._queue:
            waiting = self._queue[0]
            if waiting.offset.done():
                self._budget.give(self._queue.popleft().size)
                continue
            size += waiting.size
            if batch and size > limit:
                break
            batch.append(self._queue.popleft())
        return batch

    def _encode(self, batch: list[_Waiting], producer: _Producer) -> bytes:
        # What is together was counted already: the builder's own limit is out of the way.
        builder = DefaultRecordBatchBuilder(2, 0, 0, producer.id, producer.epoch, producer.sequence, _NO_LIMIT)
        offset = 0
        for waiting in batch:
            for value, key, headers, timestamp_ms in waiting.messages:
                at = waiting.timestamp_ms if timestamp_ms is None else timestamp_ms
                builder.append(offset, at, key, value, list(headers))
                offset += 1
        return bytes(builder.build())

    async def _send(self, batch: list[_Waiting], producer: _Producer) -> None:
        records = sum(len(waiting.messages) for waiting in batch)
        attempts = count(1)
        try:
            data = self._encode(batch, producer)
            offset = await self._connection.retried(lambda: self._produce(data, len(batch), next(attempts)), self._what)
        except Exception as error:
            # What was sent may still arrive. Under another producer nothing can be confused with it.
            self._producer = None
            self._fail(batch, error)
            return
        producer.sequence = (producer.sequence + records) % _SEQUENCES
        for waiting in batch:
            self._budget.give(waiting.size)
            if not waiting.offset.done():
                waiting.offset.set_result(offset)
            offset += len(waiting.messages)

    async def _produce(self, data: bytes, appends: int, attempt: int) -> int:
        """Send a batch of ``appends`` once, and return the offset of its first record. Raises KafkaError.

        ``attempt`` counts from 1; a refusal of the first is certain, an earlier one than a later may have been written.
        """
        timeout_ms = int(self._settings.request_timeout * 1000)
        request = ProduceRequest(None, _ALL, timeout_ms, [(self._topic, [(self._partition, data)])])
        response = await self._connection.to_leader(self._topic, self._partition, request, self._channel)
        answers: list[Any] = response.get_item("topics")
        _, code, offset, *_ = answers[0][1][0]
        error = for_code(code)
        if error is NoError or (error is DuplicateSequenceNumber and offset >= 0):
            return offset
        if error is DuplicateSequenceNumber:
            raise LogUnavailableError(f"{self._what}: it was written, at an offset that Kafka doesn't know any more")
        if error in _TOO_LARGE and appends == 1:
            raise RecordTooLargeError(f"a record, or several that go together, are larger than {self._topic} allows")
        answer = error_of(code, f"{self._topic}-{self._partition}")
        if isinstance(answer, REFUSALS) and attempt == 1:
            raise LogRefusedError(f"{self._what}: Kafka refuses it: {describe(answer)}")
        raise answer

    async def _new_producer(self) -> _Producer:
        response = await self._connection.to_any(InitProducerIdRequest(None, _SEQUENCES - 1))
        error = for_code(response.get_item("error_code"))
        if error is not NoError:
            raise error("no id for a producer")
        return _Producer(response.get_item("producer_id"), response.get_item("producer_epoch"))

    def _fail(self, batch: list[_Waiting], error: Exception) -> None:
        if not isinstance(error, LogUnavailableError | RecordTooLargeError):
            # Not foreseen: who appends is told, since nobody looks at what ends the task that sends.
            unforeseen = LogUnavailableError(f"{self._what}: it failed in an unexpected way: {error!r}")
            unforeseen.__cause__ = error
            error = unforeseen
        for record in batch:
            self._budget.give(record.size)
            if not record.offset.done():
                record.offset.set_exception(error)


def _size(messages: Sequence[Message]) -> int:
    estimate = DefaultRecordBatchBuilder.estimate_size_in_bytes
    return sum([estimate(message.key, message.value, list(message.headers)) for message in messages])
