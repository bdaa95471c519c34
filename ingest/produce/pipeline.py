"""Sending many messages: in order per partition, several groups on their way at a time, bounded in bytes."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.log import Message, RecordTooLargeError, Topic

GROUP_BYTES = 256 << 10
IN_FLIGHT_BYTES = 16 << 20

Numbered = tuple[int, Message]
"""A message, and the number by which its sender knows it."""


class MessageLog(Protocol):
    """A log that takes messages in groups; Kafka's is one."""

    def max_record_bytes(self, topic: Topic) -> int:
        """The most that messages which are written together may take."""
        ...

    async def append_messages(self, topic: Topic, partition: int, messages: Sequence[Message]) -> int:
        """Write all of them, next to each other and in order, or none; the first's offset."""
        ...


@dataclass(slots=True)
class _Group:
    partition: int
    numbers: list[int]
    messages: list[Message]
    size: int


@dataclass(slots=True)
class _Flight:
    numbers: list[int]
    size: int
    task: asyncio.Task[int]


class Pipeline:
    """Sends to one topic. After an exception nothing more is sent.

    ``first_missing`` then tells from which message on some are not known to be on the log.
    """

    def __init__(self, log: MessageLog, topic: Topic = Topic.POINTS, *, in_flight_bytes: int = IN_FLIGHT_BYTES) -> None:
        self._log = log
        self._topic = topic
        self._limit = in_flight_bytes
        self._group_bytes = min(GROUP_BYTES, log.max_record_bytes(topic))
        self._in_flight: deque[_Flight] = deque()
        self._size = 0
        self._error: BaseException | None = None
        self.acknowledged = 0
        self.refused: list[tuple[int, str]] = []
        """(number, reason) of messages that are larger than a record may be; the others are sent all the same."""

    @property
    def first_missing(self) -> int | None:
        """The lowest number of the messages that are not acknowledged; None when all are."""
        return min((flight.numbers[0] for flight in self._in_flight), default=None)

    async def send(self, partition: int, messages: Sequence[Numbered]) -> None:
        """Send ``messages`` after those that were sent before; waits while too much is on its way.

        Raises LogUnavailableError when it, or what was sent before it, could not be written.
        """
        for group in _groups(partition, messages, self._group_bytes):
            while self._in_flight and self._size + group.size > self._limit:
                await self._wait_for_first()
            self._start(group)

    async def finish(self) -> None:
        """Return once everything is acknowledged. Raises as ``send``."""
        while self._in_flight:
            await self._wait_for_first()

    async def abort(self) -> None:
        """Send nothing more. What is on its way may still be written."""
        for flight in self._in_flight:
            flight.task.cancel()
        await asyncio.gather(*[flight.task for flight in self._in_flight], return_exceptions=True)

    def _start(self, group: _Group) -> None:
        task = asyncio.create_task(self._log.append_messages(self._topic, group.partition, group.messages))
        task.add_done_callback(self._on_done)
        self._in_flight.append(_Flight(group.numbers, group.size, task))
        self._size += group.size

    def _on_done(self, task: "asyncio.Task[int]") -> None:
        # At once, and not when its turn comes: what follows it must not be written without it.
        error = None if task.cancelled() else task.exception()
        if error is None or isinstance(error, RecordTooLargeError) or self._error is not None:
            return
        self._error = error
        for flight in self._in_flight:
            flight.task.cancel()

    async def _wait_for_first(self) -> None:
        first = self._in_flight[0]
        await asyncio.wait({first.task})
        if self._error is not None:
            raise self._error
        error = first.task.exception()
        if error is None:
            self.acknowledged += len(first.numbers)
        else:
            self.refused += [(number, str(error)) for number in first.numbers]
        self._in_flight.popleft()
        self._size -= first.size


def _groups(partition: int, messages: Sequence[Numbered], limit: int) -> Iterator[_Group]:
    """Groups of at most ``limit`` bytes; a larger message is alone."""
    group = _Group(partition, [], [], 0)
    for number, message in messages:
        size = message.size
        if group.messages and group.size + size > limit:
            yield group
            group = _Group(partition, [], [], 0)
        group.numbers.append(number)
        group.messages.append(message)
        group.size += size
    if group.messages:
        yield group
