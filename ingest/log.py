"""The Log port: the one interface through which records are written and read.

Two implementations stand behind it: Kafka and the embedded log. Everything to the right of this
port (fold, state, views, routes) is the same for both.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

from schemas.errors import TooLargeError

Headers = tuple[tuple[str, bytes], ...]

_RECORD_BYTES = 300
"""What the objects of a record take beside the contents, about; its place in what holds it included."""
_HEADER_BYTES = 150
_FRAME_BYTES = 48


class Topic(StrEnum):
    """The three logs of a deployment; Kafka puts a prefix before the name."""

    CATALOG = "catalog"
    POINTS = "points"
    REJECTED = "rejected"


def contents_size(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """The bytes of a record's contents."""
    size = len(value or b"") + len(key or b"")
    return size + sum([len(name) + len(data) for name, data in headers]) if headers else size


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """One message as read from the log. ``offset`` is dense in the embedded log; Kafka may leave gaps.

    A struct, as there are very many: a frozen data class takes ten times as long to make.
    """

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    unread: str = ""
    """Why value, key and headers are not there: all together are larger than a log gives."""

    @property
    def size(self) -> int:
        """About how much memory it takes: what bounds on records that are held go by."""
        return _RECORD_BYTES + _HEADER_BYTES * len(self.headers) + contents_size(self.key, self.value, self.headers)

    @property
    def log_size(self) -> int:
        """About what it takes on the log, and counts for in a read: one of tombstones has to end, too."""
        return _FRAME_BYTES + contents_size(self.key, self.value, self.headers)


class Message(NamedTuple):
    """A record to be written. ``timestamp_ms`` is in milliseconds since 1970; None: now."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    timestamp_ms: int | None = None

    @property
    def size(self) -> int:
        """As ``LogRecord.size``; on the log it takes less."""
        return _RECORD_BYTES + _HEADER_BYTES * len(self.headers) + contents_size(self.key, self.value, self.headers)


class LogUnavailableError(Exception):
    """The log can't take or give records now (Kafka is down, the disk is full); trying again may help."""


class LogUnreachableError(LogUnavailableError):
    """Nothing of the log answers. Whoever holds the connection has said so, once: others need not."""


class LogRefusedError(LogUnavailableError):
    """The log does not take the record, which is not on it and won't be: somebody has to change the log's settings."""


class LogDamagedError(Exception):
    """The log's bytes are not what was written, or the log is not the one expected. Never repaired silently."""


class NoSuchPartitionError(ValueError):
    """The topic has no such partition."""


class RecordTooLargeError(TooLargeError):
    """The record is larger than the log takes. Trying again doesn't help; splitting it may."""


class Log(Protocol):
    """An ordered, durable sequence of records per (topic, partition).

    What takes a partition raises NoSuchPartitionError where there is none, as far as can be found out now.
    """

    @property
    def identity(self) -> str:
        """A name that two different logs never share; a state remembers which log it was folded from."""
        ...

    def partitions(self, topic: Topic) -> int:
        """The number of partitions of ``topic``."""
        ...

    async def append(
        self,
        topic: Topic,
        partition: int,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
    ) -> int:
        """Write one record and return its offset once it is durable (fsynced, or acks=all).

        Records appended by one task keep their order. Raises LogUnavailableError when the record could not be
        made durable; it may then still turn up on the log, never twice. Raises RecordTooLargeError.
        """
        ...

    async def append_all(self, topic: Topic, partition: int, messages: Sequence[Message]) -> None:
        """Write several records, and return once all are durable; others' may come between them.

        Raises as ``append``, and then some of them may be on the log.
        """
        ...

    async def read(self, topic: Topic, partition: int, from_offset: int, max_bytes: int) -> Sequence[LogRecord]:
        """Durable records at or after ``from_offset``, in order, about ``max_bytes`` of them; empty at the end.

        At least one record is returned where there is one, whatever its size. What was deleted is passed over like any
        gap: who can't do without it asks for ``start_offset``. Raises LogDamagedError.
        """
        ...

    async def wait(self, topic: Topic, partition: int, offset: int) -> None:
        """Return as soon as the end offset is above ``offset``, without polling."""
        ...

    async def start_offset(self, topic: Topic, partition: int) -> int:
        """The offset of the first record still on the log."""
        ...

    async def end_offset(self, topic: Topic, partition: int) -> int:
        """One more than the offset of the last durable record; ``start_offset`` when empty."""
        ...

    async def offset_at(self, topic: Topic, partition: int, time_ms: int) -> int:
        """The offset of the earliest record whose timestamp is at or after ``time_ms``; the end offset when none's is.

        ``time_ms``: in milliseconds since 1970, not negative. Timestamps are of the clocks of those who appended: where
        one was set back, or several differ, later records may be older than the one that is found.
        """
        ...

    async def close(self) -> None:
        """Release files and connections. Appends in flight are finished or fail."""
        ...


class BatchLog(Log, Protocol):
    """A log that can also write several records as one."""

    async def append_together(
        self,
        topic: Topic,
        partition: int,
        values: Sequence[bytes],
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> int:
        """Write ``values``, which are not none, each as a record with ``headers``, and return the first's offset.

        ``timestamp_ms`` is as in ``Message``.

        All of them are written or none, in order and next to each other. So where one such call follows another, what
        is on the log is always a beginning of what was given. Raises as ``append``; together they may take no more
        than a single record may.
        """
        ...
