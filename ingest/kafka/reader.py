"""Reading one partition: from any offset, in bulk, and waiting at its end."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiokafka.errors import KafkaError, NoError, OffsetOutOfRangeError, for_code
from aiokafka.protocol.fetch import FetchRequest

from ingest.kafka.connection import FIRST_PAUSE, Connection
from ingest.kafka.errors import unavailable
from ingest.kafka.fetched import Fetched
from ingest.kafka.offsets import READ_COMMITTED, end_offset, start_offset
from ingest.kafka.settings import KafkaSettings
from ingest.log import LogDamagedError, LogRecord, LogUnavailableError


class _OutOfRangeError(Exception):
    """The offset is before the partition's start or after its end."""


LEAST_FETCH_BYTES = 64 << 10
LIVE_FETCH_BYTES = 1 << 20
"""The most that is fetched at once by who waits: it is decoded at once, and more comes with the next read."""
MOST_DECODED_BYTES = 8 << 20
"""But for so much of it, as it may be compressed."""


class PartitionReader:
    """Keeps what it fetched and nobody has read yet, and waits for more in one place for all that wait."""

    def __init__(self, connection: Connection, settings: KafkaSettings, topic: str, partition: int) -> None:
        """``topic`` is the topic's name in Kafka."""
        self._connection = connection
        self._settings = settings
        self._topic = topic
        self._partition = partition
        self._what = f"{topic}-{partition} could not be read"
        self._reading_channel = connection.new_channel()
        self._waiting_channel = connection.new_channel()
        # About half the request timeout, so that a broker that waits on purpose is not taken for one that hangs.
        self._wait_ms = int(settings.request_timeout * 500)
        self._fetched: Fetched | None = None
        self._seen_end = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._watching: asyncio.Task[None] | None = None

    async def read(self, from_offset: int, max_bytes: int) -> Sequence[LogRecord]:
        """As ``Log.read``. Raises LogDamagedError, LogUnavailableError."""
        fetched = await self._at(max(from_offset, 0), max_bytes)
        records = fetched.take(max_bytes)
        if records:
            self._see(records[-1].offset + 1)
        return records

    async def wait(self, offset: int) -> None:
        """Return once there is a record at or after ``offset``, however long Kafka can't be reached meanwhile.

        Stricter than ``Log.wait``: an end that is above ``offset`` because of offsets without a record is not enough,
        since who waits could not read anything and would ask again at once.

        Raises LogDamagedError, and LogUnavailableError when the log is closed or may not be read any more.
        """
        offset = max(offset, 0)
        if offset < self._seen_end:
            return
        fetched = self._fetched
        if fetched is None or not fetched.at_end or not fetched.covers(offset):
            fetched = await self._at(offset, LIVE_FETCH_BYTES, forever=True)
            if fetched.has_record:
                return
        waiter = (offset, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(fetched.start, fetched.next_offset))
        try:
            await waiter[1]
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    async def close(self) -> None:
        """End every wait."""
        self._end_waits(LogUnavailableError("the log was closed"))
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})

    async def _at(self, offset: int, max_bytes: int, *, forever: bool = False) -> Fetched:
        """What can be read from ``offset`` on: has a record, or is at the end.

        Who takes records from it has to do so before anything else is awaited: others may get the same.
        """
        at, goes_on = offset, False
        if self._fetched is not None and self._fetched.covers(offset):
            if self._fetched.has_record:
                return self._fetched
            at, goes_on = self._fetched.next_offset, True
        size = min(max(max_bytes, LEAST_FETCH_BYTES), self._settings.fetch_bytes)
        while True:
            attempt = partial(self._fetch_in_range, at, size, goes_on=goes_on)
            fetched = await self._connection.retried(attempt, self._what, forever=forever)
            fetched.start = min(offset, fetched.start)
            if fetched.has_record or fetched.at_end:
                self._fetched = fetched
                return fetched
            if fetched.is_empty:
                # There are records, but this client has had its share for now: the brokers have a quota.
                await asyncio.sleep(FIRST_PAUSE)
            at, goes_on = fetched.next_offset, True

    async def _fetch_in_range(self, offset: int, size: int, *, goes_on: bool) -> Fetched:
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

    async def _start_and_end(self) -> tuple[int, int]:
        where = (self._connection, self._topic, self._partition, self._reading_channel)
        return await start_offset(*where), await end_offset(*where)

    def _refuse_if_shorter(self, end: int) -> None:
        if end < self._seen_end:
            raise LogDamagedError(
                f"{self._topic}-{self._partition} ends at offset {end}, but had records up to {self._seen_end - 1}: it "
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

    async def _watch(self, start: int, offset: int) -> None:
        """Wait at the end for all that wait: there is no record from ``start`` up to ``offset``."""
        pause = FIRST_PAUSE
        try:
            while self._waiting:
                try:
                    fetched = await self._fetch_at_end(offset)
                except KafkaError as error:
                    if not error.retriable:
                        raise unavailable(self._what, error) from error
                    pause = await self._connection.pause(pause, error)
                    continue
                pause = FIRST_PAUSE
                fetched.start = min(start, fetched.start)
                start, offset = self._keep(fetched)
        except Exception as error:
            # Whatever it is: nobody looks at what ends this task, and who waits would wait for ever.
            self._end_waits(error)
        finally:
            self._watching = None

    async def _fetch_at_end(self, offset: int) -> Fetched:
        try:
            return await self._fetch(offset, LIVE_FETCH_BYTES, self._wait_ms, self._waiting_channel)
        except _OutOfRangeError:
            first, end = await self._start_and_end()
        self._refuse_if_shorter(end)
        return Fetched((self._topic, self._partition), min(max(offset, first), end), b"", (), at_end=True)

    def _keep(self, fetched: Fetched) -> tuple[int, int]:
        """Let reads go on with ``fetched`` unless they are busy elsewhere; where to wait next."""
        last = fetched.decode_some(MOST_DECODED_BYTES)
        if self._fetched is None or not self._fetched.has_record:
            self._fetched = fetched
        if last is None or not fetched.has_record:
            return fetched.start, fetched.next_offset
        self._see(last + 1)
        return fetched.next_offset, fetched.next_offset

    def _see(self, end: int) -> None:
        if end <= self._seen_end:
            return
        self._seen_end = end
        for offset, waiter in self._waiting:
            if offset < end and not waiter.done():
                waiter.set_result(None)
        self._waiting = [waiter for waiter in self._waiting if waiter[0] >= end]

    def _end_waits(self, error: Exception) -> None:
        for _, waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(error)
        self._waiting = []
