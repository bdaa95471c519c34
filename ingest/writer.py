"""PointsWriter: operations onto the log, and waiting until they are visible."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

from ingest.deadline import Deadline
from ingest.http.offsets import Offset
from ingest.log import Log, LogRefusedError, LogUnavailableError, Topic
from ingest.outcomes import raise_rejected
from ingest.ports import CollectionEntry, Visibility
from ingest.sharding import records_of, size_of
from schemas.errors import BadInputError, TimedOutError, UnavailableError
from schemas.operations import Operation, Outcome, OverwritePayload, SetPayload, UpdateVectors, Upsert
from schemas.records import (
    CANONICAL_CONTENT_TYPE,
    CONTENT_TYPE_HEADER,
    REQUEST_CONTENT_TYPE,
    CatalogRecord,
    PointsRecord,
    encode_record,
)
from schemas.rest.responses import UpdateStatus

MAX_RECORD_BYTES = 4 << 20
LARGE_BYTES = 1 << 20
"""Larger writes are made into records on a thread: that takes some milliseconds for a megabyte."""
LONG_SECONDS = 60.0
"""Who waits so long leaves it to the log when to give up; measuring every append's time would cost 10 us."""
HEADERS = ((CONTENT_TYPE_HEADER, CANONICAL_CONTENT_TYPE),)
REQUEST_HEADERS = ((CONTENT_TYPE_HEADER, REQUEST_CONTENT_TYPE),)

_GROWING = (Upsert, UpdateVectors, SetPayload, OverwritePayload)
"""Operations that take room."""

ResultT = TypeVar("ResultT")


class WriteResult(NamedTuple):
    """``operation_id`` is the highest of the records' offsets, which ``offsets`` has all: (partition, offset)."""

    operation_id: int
    status: UpdateStatus
    offsets: tuple[Offset, ...]


class PointsWriter:
    """Writes operations on points. Knows nothing of how they are applied."""

    def __init__(
        self,
        log: Log,
        visibility: Visibility,
        max_record_bytes: int = MAX_RECORD_BYTES,
        check_room: Callable[[], None] | None = None,
    ) -> None:
        """``max_record_bytes``: about how large records become; more is split.

        ``check_room`` raises InsufficientStorageError where what takes room is not to be written.
        """
        self._check_room = check_room
        self._log = log
        self._visibility = visibility
        self._max_record_bytes = max_record_bytes

    async def write(
        self,
        entry: CollectionEntry,
        operations: Sequence[Operation],
        *,
        wait: bool,
        deadline: Deadline,
        only: int | None = None,
    ) -> WriteResult:
        """Put checked operations on the log, and with ``wait`` return once they are visible.

        ``only``: they are for this shard, all of them; None: for the shards of their points.

        Raises UnavailableError, also when the log did not take them before the deadline, TooLargeError,
        BadInputError, InsufficientStorageError, and with ``wait`` the error of the first operation that was rejected.
        When they are on the log, but don't become visible before the deadline, the result's status says so.
        """
        if self._check_room is not None and any(isinstance(op, _GROWING) for op in operations):
            self._check_room()
        if size_of(operations) > LARGE_BYTES:
            records = await asyncio.to_thread(self._encode, entry, operations, only)
        else:
            records = self._encode(entry, operations, only)
        for partition in records:
            self._visibility.check_applied(Topic.POINTS, partition)
        offsets = await within(deadline, self._append(records))
        status = UpdateStatus.ACKNOWLEDGED
        if wait:
            status = await self._wait(offsets, deadline)
        return WriteResult(max([offset for _, offset in offsets]), status, offsets)

    def _encode(
        self, entry: CollectionEntry, operations: Sequence[Operation], only: int | None
    ) -> dict[int, list[bytes]]:
        """The records of each partition, in order."""
        by_partition: dict[int, list[bytes]] = {}
        shards = len(entry.shard_map) if only is None else 1
        for number, part in records_of(operations, shards, self._max_record_bytes):
            shard = number if only is None else only
            value = encode(PointsRecord(uid=entry.uid, shard=shard, ops=part))
            by_partition.setdefault(entry.shard_map[shard], []).append(value)
        return by_partition

    async def _append(self, by_partition: dict[int, list[bytes]]) -> tuple[Offset, ...]:
        if len(by_partition) == 1:
            [(partition, values)] = by_partition.items()
            if len(values) == 1:
                return ((partition, await append(self._log, Topic.POINTS, partition, values[0])),)
            return await self._append_to(partition, values)
        parts = await all_of([self._append_to(partition, values) for partition, values in by_partition.items()])
        return tuple(offset for part in parts for offset in part)

    async def _append_to(self, partition: int, values: Sequence[bytes]) -> tuple[Offset, ...]:
        # One after another: only appends that follow each other are sure to keep their order.
        return tuple([(partition, await append(self._log, Topic.POINTS, partition, value)) for value in values])

    async def _wait(self, offsets: Sequence[Offset], deadline: Deadline) -> UpdateStatus:
        wait = self._visibility.wait
        try:
            if len(offsets) == 1:
                [(partition, offset)] = offsets
                outcomes: list[Sequence[Outcome]] = [await wait(Topic.POINTS, partition, offset, deadline)]
            else:
                outcomes = await all_of([wait(Topic.POINTS, number, at, deadline) for number, at in offsets])
        except TimedOutError:
            return UpdateStatus.WAIT_TIMEOUT
        for part in outcomes:
            if part:
                raise_rejected(part)
        return UpdateStatus.COMPLETED


def encode(record: PointsRecord | CatalogRecord) -> bytes:
    """The record's bytes. Raises BadInputError for a number that no record can hold."""
    try:
        return encode_record(record)
    except OverflowError as error:
        raise BadInputError("Wrong input: a number is out of the range of 64 bits") from error


def within(deadline: Deadline, appending: Awaitable[ResultT]) -> Awaitable[ResultT]:
    """What ``appending`` returns. Raises UnavailableError at the deadline."""
    return appending if deadline.seconds >= LONG_SECONDS else _limited(deadline, appending)


async def _limited(deadline: Deadline, appending: Awaitable[ResultT]) -> ResultT:
    limit = asyncio.timeout(deadline.left())
    try:
        async with limit:
            return await appending
    except TimeoutError:
        if not limit.expired():
            raise
        raise _not_written(f"not acknowledged within {deadline.seconds:g} seconds") from None


def _not_written(reason: str) -> UnavailableError:
    # The log may have taken what it did not acknowledge, and other parts of the same request.
    return UnavailableError(
        f"The log can't be written now: {reason}. It is not known whether the operation was accepted; it may yet be "
        "applied, and can be sent again"
    )


async def append(log: Log, topic: Topic, partition: int, value: bytes) -> int:
    """Append the canonical record of a request. Raises UnavailableError, TooLargeError."""
    try:
        return await log.append(topic, partition, value, headers=REQUEST_HEADERS)
    except LogRefusedError as error:
        raise UnavailableError(f"The log takes no writes: {error}. The operation was not accepted") from error
    except LogUnavailableError as error:
        raise _not_written(str(error)) from error


async def all_of(awaitables: Sequence[Awaitable[ResultT]]) -> list[ResultT]:
    """All results, in order; when one fails, its error once all have ended."""
    results = await asyncio.gather(*awaitables, return_exceptions=True)
    good: list[ResultT] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        good.append(result)
    return good
