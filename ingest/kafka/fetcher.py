"""Fetches of one partition: one request each, and what an offset that is out of range means."""

from typing import Any

from aiokafka.errors import NoError, OffsetOutOfRangeError, for_code
from aiokafka.protocol.fetch import FetchRequest

from ingest.kafka.connection import Connection
from ingest.kafka.fetched import Fetched
from ingest.kafka.offsets import READ_COMMITTED, end_offset, start_offset
from ingest.log import LogDamagedError


class _OutOfRangeError(Exception):
    """The offset is before the partition's start or after its end."""


class PartitionFetcher:
    """Asks the partition's leader. What it raises of KafkaError is for the caller to try again after."""

    def __init__(self, connection: Connection, topic: str, partition: int, wait_ms: int) -> None:
        """``topic`` is the topic's name in Kafka; ``wait_ms``: how long ``wait`` lets the broker wait for records."""
        self.seen_end = 0
        """One more than the highest offset of which a record was seen."""
        self._connection = connection
        self._topic = topic
        self._partition = partition
        self._wait_ms = wait_ms
        self._reading_channel = connection.new_channel()
        self._waiting_channel = connection.new_channel()

    async def fetch(self, offset: int, size: int, *, goes_on: bool) -> Fetched:
        """What is there from ``offset`` on, about ``size`` bytes, or from the partition's start where that is later.

        Raises KafkaError, LogDamagedError: also where records are gone that follow what was read (``goes_on``).
        """
        while True:
            try:
                return await self._fetch(offset, size, 0, self._reading_channel)
            except _OutOfRangeError:
                start, end = await self._start_and_end()
            if offset > end:
                self._refuse_if_shorter(end)
                return Fetched((self._topic, self._partition), end, b"", (), at_end=True)
            if goes_on and offset < start:
                raise LogDamagedError(
                    f"{self._topic}-{self._partition} starts at offset {start} now: its records from {offset} on were "
                    "deleted before they were read"
                )
            offset = max(offset, start)

    async def wait(self, offset: int, size: int) -> Fetched:
        """What comes at ``offset``, or nothing after a while. Raises KafkaError, LogDamagedError."""
        try:
            return await self._fetch(offset, size, self._wait_ms, self._waiting_channel)
        except _OutOfRangeError:
            first, end = await self._start_and_end()
        self._refuse_if_shorter(end)
        return Fetched((self._topic, self._partition), min(max(offset, first), end), b"", (), at_end=True)

    async def _start_and_end(self) -> tuple[int, int]:
        where = (self._connection, self._topic, self._partition, self._reading_channel)
        return await start_offset(*where), await end_offset(*where)

    def _refuse_if_shorter(self, end: int) -> None:
        if end < self.seen_end:
            raise LogDamagedError(
                f"{self._topic}-{self._partition} ends at offset {end}, but had records up to {self.seen_end - 1}: it "
                "has lost records, or the topic was deleted and created again"
            )

    async def _fetch(self, offset: int, size: int, wait_ms: int, channel: int) -> Fetched:
        """One request, answered after ``wait_ms`` at the latest. Raises KafkaError, _OutOfRangeError."""
        request = FetchRequest(wait_ms, 1, size, READ_COMMITTED, [(self._topic, [(self._partition, offset, size)])])
        response = await self._connection.to_leader(self._topic, self._partition, request, channel)
        answers: list[Any] = response.get_item("topics")
        _, code, _, end, *_ = answer = answers[0][1][0]
        error = for_code(code)
        if error is OffsetOutOfRangeError:
            raise _OutOfRangeError
        if error is not NoError:
            raise error(f"{self._topic}-{self._partition}")
        aborted = answer[-3] if response.API_VERSION >= 11 else answer[-2]
        data: bytes = answer[-1] or b""
        return Fetched((self._topic, self._partition), offset, data, aborted, at_end=not data and offset >= end)
