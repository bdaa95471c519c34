"""Reading one partition: from any offset, in bulk, and waiting at its end."""

import asyncio
from collections.abc import Sequence
from functools import partial

from aiokafka.errors import KafkaError

from ingest.kafka.connection import FIRST_PAUSE, Connection
from ingest.kafka.errors import unavailable
from ingest.kafka.fetched import Fetched
from ingest.kafka.fetcher import PartitionFetcher
from ingest.kafka.settings import KafkaSettings
from ingest.log import LogRecord, LogUnavailableError

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
        self._what = f"{topic}-{partition} could not be read"
        # About half the request timeout, so that a broker that waits on purpose is not taken for one that hangs.
        self._fetcher = PartitionFetcher(connection, topic, partition, int(settings.request_timeout * 500))
        self._fetched: Fetched | None = None
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
        if offset < self._fetcher.seen_end:
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
            attempt = partial(self._fetcher.fetch, at, size, goes_on=goes_on)
            fetched = await self._connection.retried(attempt, self._what, forever=forever)
            fetched.start = min(offset, fetched.start)
            if fetched.has_record or fetched.at_end:
                self._fetched = fetched
                return fetched
            if fetched.is_empty:
                # There are records, but this client has had its share for now: the brokers have a quota.
                await asyncio.sleep(FIRST_PAUSE)
            at, goes_on = fetched.next_offset, True

    async def _watch(self, start: int, offset: int) -> None:
        """Wait at the end for all that wait: there is no record from ``start`` up to ``offset``."""
        pause = FIRST_PAUSE
        try:
            while self._waiting:
                try:
                    fetched = await self._fetcher.wait(offset, LIVE_FETCH_BYTES)
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

    def _keep(self, fetched: Fetched) -> tuple[int, int]:
        """Let reads go on with ``fetched`` unless they are busy with others; where to wait next."""
        last = fetched.decode_some(MOST_DECODED_BYTES)
        if self._fetched is None or not self._fetched.has_record:
            self._fetched = fetched
        if last is None or not fetched.has_record:
            return fetched.start, fetched.next_offset
        self._see(last + 1)
        return fetched.next_offset, fetched.next_offset

    def _see(self, end: int) -> None:
        if end <= self._fetcher.seen_end:
            return
        self._fetcher.seen_end = end
        for offset, waiter in self._waiting:
            if offset < end and not waiter.done():
                waiter.set_result(None)
        self._waiting = [waiter for waiter in self._waiting if waiter[0] >= end]

    def _end_waits(self, error: Exception) -> None:
        for _, waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(error)
        self._waiting = []
