"""What is said over a connection: requests, each with what it does to a log, and their answers.

A request's ``id`` is the asking side's; its answer has the same. Answers come in any order.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from ingest.log import (
    Log,
    LogDamagedError,
    LogRecord,
    LogRefusedError,
    LogUnavailableError,
    LogUnreachableError,
    Message,
    NoSuchPartitionError,
    RecordTooLargeError,
    Topic,
)

MAX_READ_BYTES = 8 << 20
"""No more is asked for in one read, so that an answer has so much and one record more at most."""

_ERRORS: Mapping[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        LogDamagedError,
        LogRefusedError,
        LogUnavailableError,
        LogUnreachableError,
        NoSuchPartitionError,
        RecordTooLargeError,
    )
}
"""What the Log port raises; of what comes from it otherwise, the asking side is told that something failed."""


class Number(msgspec.Struct, tag="number", array_like=True, frozen=True, gc=False):
    """An offset, or 0 where there is only that it was done."""

    id: int
    value: int


class Records(msgspec.Struct, tag="records", array_like=True, frozen=True):
    """What was read."""

    id: int
    records: list[LogRecord]


class Failed(msgspec.Struct, tag="failed", array_like=True, frozen=True, gc=False):
    """What was raised instead; ``kind`` is empty where it is none of the port's."""

    id: int
    kind: str
    reason: str

    @classmethod
    def of(cls, request: int, error: Exception) -> "Failed":
        """The answer for what the log raised."""
        kind = next((base.__name__ for base in type(error).__mro__ if base.__name__ in _ERRORS), "")
        return cls(request, kind, str(error) if kind else repr(error))

    def error(self) -> Exception:
        """The same error on the asking side."""
        kind = _ERRORS.get(self.kind)
        return (
            RuntimeError(f"the process that keeps the log failed: {self.reason}") if kind is None else kind(self.reason)
        )


class Welcome(msgspec.Struct, tag="welcome", array_like=True, frozen=True):
    """What comes first: which log this is, and how many partitions its topics have for as long as it is open."""

    identity: str
    partitions: dict[Topic, int]


Answer = Number | Records | Failed | Welcome


class _Request(msgspec.Struct, array_like=True, frozen=True):
    """``limited``: whether an answer is due soon."""

    id: int
    topic: Topic
    partition: int
    limited: ClassVar[bool] = True

    @property
    def size(self) -> int:
        """About how many bytes it takes, where that may be many."""
        return 0

    async def carry_out(self, log: Log) -> Number | Records:
        """Its answer. Raises as the log."""
        raise NotImplementedError


class Append(_Request, tag="append", array_like=True, frozen=True):
    """``Log.append``."""

    message: Message

    @property
    def size(self) -> int:
        """See _Request."""
        return self.message.size

    async def carry_out(self, log: Log) -> Number:
        """The record's offset."""
        value, key, headers, _ = self.message
        return Number(self.id, await log.append(self.topic, self.partition, value, key=key, headers=headers))


class AppendAll(_Request, tag="append_all", array_like=True, frozen=True):
    """``Log.append_all``."""

    messages: list[Message]

    @property
    def size(self) -> int:
        """See _Request."""
        return sum(message.size for message in self.messages)

    async def carry_out(self, log: Log) -> Number:
        """That it was done."""
        await log.append_all(self.topic, self.partition, self.messages)
        return Number(self.id, 0)


class Read(_Request, tag="read", array_like=True, frozen=True):
    """``Log.read``."""

    from_offset: int
    max_bytes: int

    async def carry_out(self, log: Log) -> Records:
        """The records."""
        most = min(self.max_bytes, MAX_READ_BYTES)
        return Records(self.id, list(await log.read(self.topic, self.partition, self.from_offset, most)))


class Wait(_Request, tag="wait", array_like=True, frozen=True):
    """``Log.wait``."""

    offset: int
    limited: ClassVar[bool] = False

    async def carry_out(self, log: Log) -> Number:
        """That there is a record at the offset or after it."""
        await log.wait(self.topic, self.partition, self.offset)
        return Number(self.id, 0)


class Start(_Request, tag="start", array_like=True, frozen=True):
    """``Log.start_offset``."""

    async def carry_out(self, log: Log) -> Number:
        """The offset."""
        return Number(self.id, await log.start_offset(self.topic, self.partition))


class End(_Request, tag="end", array_like=True, frozen=True):
    """``Log.end_offset``."""

    async def carry_out(self, log: Log) -> Number:
        """The offset."""
        return Number(self.id, await log.end_offset(self.topic, self.partition))


class At(_Request, tag="at", array_like=True, frozen=True):
    """``Log.offset_at``."""

    time_ms: int

    async def carry_out(self, log: Log) -> Number:
        """The offset."""
        return Number(self.id, await log.offset_at(self.topic, self.partition, self.time_ms))


class Cancel(msgspec.Struct, tag="cancel", array_like=True, frozen=True, gc=False):
    """Nobody waits any more for the answer to the request ``id``. It has none itself."""

    id: int


Request = Append | AppendAll | Read | Wait | Start | End | At

_requests: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Request | Cancel)
_answers: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Answer)


def decode_request(data: bytes) -> Request | Cancel:
    """What an asking side sent. Raises msgspec.MsgspecError."""
    return _requests.decode(data)


def decode_answer(data: bytes) -> Answer:
    """What an answering side sent. Raises msgspec.MsgspecError."""
    return _answers.decode(data)


def size_of(answer: Any) -> int:
    """About how many bytes an answer takes, where that may be many."""
    return sum(record.size for record in answer.records) if isinstance(answer, Records) else 0
