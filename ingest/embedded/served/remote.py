"""RemoteLog: the Log port over a connection to the process that has the embedded log open."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import NamedTuple, Self

import structlog

from ingest.byte_budget import ByteBudget
from ingest.embedded.log import MAX_RECORD_BYTES, REJECTED_EXTRA_BYTES
from ingest.embedded.served.channel import BrokenChannelError, Channel, open_channel
from ingest.embedded.served.protocol import (
    Answer,
    Append,
    AppendAll,
    At,
    Cancel,
    End,
    Failed,
    Number,
    Read,
    Records,
    Request,
    Start,
    Wait,
    Welcome,
    decode_answer,
)
from ingest.log import (
    Headers,
    LogRecord,
    LogUnavailableError,
    LogUnreachableError,
    Message,
    RecordTooLargeError,
    Topic,
    contents_size,
)

QUEUE_BYTES = 16 << 20
"""How much of what is appended may be unanswered before further appends wait."""
ANSWER_SECONDS = 10.0
"""After so long without an answer a request fails: the other process hangs, or its disk does."""
_LOOK_SECONDS = 0.5
_GONE = "the connection to the process that keeps the log has ended"

_logger = structlog.get_logger("headwater.log")


class _Asked(NamedTuple):
    request: Request
    since: float
    answered: asyncio.Future[Number | Records]


class RemoteLog:
    """A log that another process has open. Implements ``ingest.log.Log``. Used from the event loop that opened it.

    Once the connection has ended, everything raises LogUnreachableError: who started the two processes makes a new one.
    """

    def __init__(self, channel: Channel[Answer], welcome: Welcome, queue_bytes: int, answer_seconds: float) -> None:
        """See ``open``."""
        self._channel = channel
        self._welcome = welcome
        self._answer_seconds = answer_seconds
        self._budget = ByteBudget(queue_bytes)
        self._ids = count()
        self._asked: dict[int, _Asked] = {}
        self._appending = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        self._silent = False
        self._gone = asyncio.Event()
        self._tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._watch())]

    @classmethod
    async def open(
        cls, connected: socket.socket, *, queue_bytes: int = QUEUE_BYTES, answer_seconds: float = ANSWER_SECONDS
    ) -> Self:
        """The log at the other end of a socket that ``LogServer.connect`` gave. Raises LogUnavailableError."""
        channel = await open_channel(connected, decode_answer)
        try:
            welcome = await channel.receive()
        except BrokenChannelError as error:
            channel.close()
            raise LogUnavailableError(f"what keeps the log is not understood: {error}") from error
        if not isinstance(welcome, Welcome):
            channel.close()
            raise LogUnreachableError(_GONE)
        return cls(channel, welcome, queue_bytes, answer_seconds)

    @property
    def identity(self) -> str:
        """As the embedded log's."""
        return self._welcome.identity

    def partitions(self, topic: Topic) -> int:
        """The number of partitions of ``topic``: the other process has it open with so many."""
        return self._welcome.partitions[topic]

    @property
    def fault(self) -> str:
        """What somebody has to mend of the log: the other process would have ended, and this one with it."""
        return ""

    @property
    def trouble(self) -> str:
        """Why nothing can be written now, as far as is known; empty when it can."""
        if self._gone.is_set():
            return _GONE
        return "the process that keeps the log does not answer" if self._silent else ""

    async def recount(self) -> None:
        """Partitions are not added while the other process runs."""

    def max_record_bytes(self, topic: Topic) -> int:
        """The largest record of ``topic``."""
        return MAX_RECORD_BYTES + (REJECTED_EXTRA_BYTES if topic is Topic.REJECTED else 0)

    async def gone(self) -> None:
        """Return once the connection has ended."""
        await self._gone.wait()

    async def append(
        self,
        topic: Topic,
        partition: int,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
    ) -> int:
        """As ``Log.append``. Waits while ``queue_bytes`` are unanswered.

        An append that is cancelled, or fails as its answer doesn't come, may still be written.
        """
        message = Message(value, key, headers)
        _check(message)
        return await self._append(Append(next(self._ids), topic, partition, message))

    async def append_all(self, topic: Topic, partition: int, messages: Sequence[Message]) -> None:
        """As ``Log.append_all``: in several parts, where they are more than ``queue_bytes`` together."""
        part: list[Message] = []
        size = 0
        for message in messages:
            _check(message)
            if part and size + message.size > QUEUE_BYTES:
                await self._append(AppendAll(next(self._ids), topic, partition, part))
                part, size = [], 0
            part.append(message)
            size += message.size
        await self._append(AppendAll(next(self._ids), topic, partition, part))

    async def _append(self, request: Append | AppendAll) -> int:
        self._refuse_if_closed()
        size = request.size
        self._appending += 1
        self._idle.clear()
        try:
            await self._budget.take(size)
            try:
                return await self._ask_number(request)
            finally:
                self._budget.give(size)
        finally:
            self._appending -= 1
            if not self._appending:
                self._idle.set()

    async def read(self, topic: Topic, partition: int, from_offset: int, max_bytes: int) -> Sequence[LogRecord]:
        """As ``Log.read``."""
        self._refuse_if_closed()
        answer = await self._ask(Read(next(self._ids), topic, partition, from_offset, max_bytes))
        if not isinstance(answer, Records):
            raise TypeError("records are the answer to a read")
        return answer.records

    async def wait(self, topic: Topic, partition: int, offset: int) -> None:
        """As ``Log.wait``. Raises LogUnavailableError when the log is closed meanwhile, here or there."""
        self._refuse_if_closed()
        await self._ask(Wait(next(self._ids), topic, partition, offset))

    async def start_offset(self, topic: Topic, partition: int) -> int:
        """The offset of the first record still on the log."""
        self._refuse_if_closed()
        return await self._ask_number(Start(next(self._ids), topic, partition))

    async def end_offset(self, topic: Topic, partition: int) -> int:
        """One more than the offset of the last durable record; ``start_offset`` when empty."""
        self._refuse_if_closed()
        return await self._ask_number(End(next(self._ids), topic, partition))

    async def offset_at(self, topic: Topic, partition: int, time_ms: int) -> int:
        """As ``Log.offset_at``."""
        self._refuse_if_closed()
        return await self._ask_number(At(next(self._ids), topic, partition, time_ms))

    async def close(self) -> None:
        """Finish the appends in flight, end waits with LogUnavailableError, and close the connection."""
        self._closed = True
        await self._idle.wait()
        self._fail_all(LogUnavailableError("the log is closed"))
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self._channel.close()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise LogUnavailableError("the log is closed")

    async def _ask_number(self, request: Request) -> int:
        answer = await self._ask(request)
        if not isinstance(answer, Number):
            raise TypeError("a number is the answer to this request")
        return answer.value

    async def _ask(self, request: Request) -> Number | Records:
        if self._gone.is_set():
            raise LogUnreachableError(_GONE)
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Number | Records] = loop.create_future()
        self._asked[request.id] = _Asked(request, loop.time(), answered)
        try:
            await self._channel.send(request, request.size)
            return await answered
        except ConnectionError as error:
            raise LogUnreachableError(_GONE) from error
        finally:
            del self._asked[request.id]
            if answered.cancelled() and isinstance(request, Wait):
                with suppress(ConnectionError):
                    self._channel.post(Cancel(request.id))

    async def _receive(self) -> None:
        try:
            while (answer := await self._channel.receive()) is not None:
                self._silent = False
                if not isinstance(answer, Welcome):
                    self._take(answer)
        except BrokenChannelError as error:
            _logger.error("what keeps the log is not understood", reason=str(error))
        finally:
            self._gone.set()
            self._fail_all(LogUnreachableError(_GONE))

    def _take(self, answer: Number | Records | Failed) -> None:
        asked = self._asked.get(answer.id)
        if asked is None or asked.answered.done():
            return  # it was cancelled, or waited for too long
        if isinstance(answer, Failed):
            asked.answered.set_exception(answer.error())
        else:
            asked.answered.set_result(answer)

    def _fail_all(self, error: LogUnavailableError) -> None:
        for asked in self._asked.values():
            if not asked.answered.done():
                asked.answered.set_exception(error)

    async def _watch(self) -> None:
        """Fail what has been unanswered for too long."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(_LOOK_SECONDS, self._answer_seconds))
            for request, since, answered in self._asked.values():
                if request.limited and not answered.done() and loop.time() - since >= self._answer_seconds:
                    self._silent = True
                    answered.set_exception(
                        LogUnavailableError(
                            f"the process that keeps the log has not answered for {self._answer_seconds:g} seconds"
                        )
                    )


def _check(message: Message) -> None:
    """Raise RecordTooLargeError for a message that needn't be sent to be refused."""
    size, most = contents_size(message.key, message.value, message.headers), MAX_RECORD_BYTES + REJECTED_EXTRA_BYTES
    if size > most:
        raise RecordTooLargeError(f"the record takes {size} bytes, and at most {most} are allowed")
