"""The rejected topic: what could not be applied, as it came, with where it came from and why."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from ingest.log import Headers, Log, LogRecord, Message, NoSuchPartitionError, RecordTooLargeError, Topic
from ingest.outcomes import Rejection
from ingest.points_topic import is_canonical, is_of_request
from schemas.errors import BadInputError
from schemas.operations import Outcome
from schemas.records import Origin, PointsRecord, decode_partition_record

ORIGIN_HEADER = "headwater-origin"
"""topic/partition/offset of the record; tools deduplicate by it."""
REASON_HEADER = "headwater-reason"
"""The first reason."""
OUTCOMES_HEADER = "headwater-outcomes"
"""JSON: the outcome of every operation, in order; of a forwarded record, those of the part that was rejected.

Of more operations than fit into a header, the first rejected one alone.
"""
LEFT_OUT_HEADER = "headwater-left-out"
"""Why the record's own value, key and headers are not there: together they are too large. They are at its origin."""
LONGEST_OUTCOMES = 512 << 10
"""Bytes: what is added to a record must fit into what the rejected topic takes beyond it."""
TOGETHER_BYTES = 1 << 20
"""About how much is given to the log at once."""
READ_BYTES = 1 << 20

_encode_json = msgspec.json.Encoder().encode


class _Rejected(NamedTuple):
    """A record as it came, where that was, and why it could not be applied."""

    record: LogRecord
    place: str
    outcomes: Sequence[Outcome]

    def message(self) -> Message:
        """The record with headers that say where and why."""
        record = self.record
        if record.unread:
            return self.without_record(record.unread)
        shown = _encode_json(self.outcomes)
        if len(shown) > LONGEST_OUTCOMES:
            shown = self._first_alone()
        return Message(record.value, record.key, (*record.headers, *self._where_and_why(), (OUTCOMES_HEADER, shown)))

    def without_record(self, left_out: str) -> Message:
        """The headers alone, with the reason."""
        alone = (OUTCOMES_HEADER, self._first_alone())
        return Message(None, None, (*self._where_and_why(), alone, (LEFT_OUT_HEADER, left_out.encode())))

    def _first(self) -> Outcome:
        return next(outcome for outcome in self.outcomes if not outcome.applied)

    def _first_alone(self) -> bytes:
        return _encode_json([self._first()])

    def _where_and_why(self) -> Headers:
        reason = self._first().reason or ""
        return ((ORIGIN_HEADER, self.place.encode()), (REASON_HEADER, reason.encode()))


async def send_rejected(log: Log, topic: Topic, rejections: Sequence[Rejection]) -> None:
    """Append records to the rejected topic, many in a request: each at least once for each origin.

    Of one that is too large for the topic, everything but itself.
    Of a forwarded record, the one it was made of is sent, as it came; where the log doesn't hold that any more, what
    was forwarded, under the origin of the other.
    """
    originals = _Originals(log)
    waiting: list[_Rejected] = []
    size = 0
    for record, outcomes in rejections:
        place = f"{topic}/{record.partition}/{record.offset}"
        if topic is Topic.POINTS and (origin := forwarded_from(record)) is not None:
            place = f"{topic}/{origin.partition}/{origin.offset}"
            record = await originals.find(origin.partition, origin.offset) or record
        waiting.append(_Rejected(record, place, outcomes))
        size += record.size
        if size >= TOGETHER_BYTES:
            await _append(log, waiting)
            waiting, size = [], 0
    if waiting:
        await _append(log, waiting)


async def _append(log: Log, some: Sequence[_Rejected]) -> None:
    try:
        await log.append_all(Topic.REJECTED, 0, [rejection.message() for rejection in some])
    except RecordTooLargeError:
        for rejection in some:
            await _append_alone(log, rejection)


async def _append_alone(log: Log, rejection: _Rejected) -> None:
    try:
        await log.append_all(Topic.REJECTED, 0, [rejection.message()])
    except RecordTooLargeError as error:
        # Brokers count what a producer has compressed: a log may hold what can't be appended to it as it is read.
        await log.append_all(Topic.REJECTED, 0, [rejection.without_record(error.message)])


def belongs_there(record: LogRecord, *, readable: bool) -> bool:
    """Whether a rejected ``record`` belongs on the rejected topic.

    The client of a request is told what became of it. What this release can't read belongs there all the same: a later
    one may.
    """
    return not (readable and is_of_request(record))


def forwarded_from(record: LogRecord) -> Origin | None:
    """Where the record stood of which the router made ``record``; None where it made none."""
    if not is_canonical(record):
        return None
    try:
        decoded = decode_partition_record(record.value or b"")
    except BadInputError:
        return None
    return decoded.origin if isinstance(decoded, PointsRecord) else None


class _Originals:
    """Reads records of the points topic that others were made of: in bulk, as those of a partition mostly ascend."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._bounds: dict[int, tuple[int, int]] = {}
        self._read: dict[int, list[LogRecord]] = {}

    async def find(self, partition: int, offset: int) -> LogRecord | None:
        """The record there; None when the log doesn't hold it."""
        read = self._read.get(partition)
        if not read or not read[0].offset <= offset <= read[-1].offset:
            if partition not in self._bounds:
                self._bounds[partition] = await bounds(self._log, partition)
            start, end = self._bounds[partition]
            if not start <= offset < end:
                return None
            # The first alone: most often there is only one.
            read = list(await self._log.read(Topic.POINTS, partition, offset, 1 if read is None else READ_BYTES))
            self._read[partition] = read
        at = bisect_left(read, offset, key=lambda record: record.offset)
        return read[at] if at < len(read) and read[at].offset == offset else None


async def bounds(log: Log, partition: int) -> tuple[int, int]:
    """The start and end offset of a partition of the points topic; nothing is between them where there is none."""
    try:
        return await log.start_offset(Topic.POINTS, partition), await log.end_offset(Topic.POINTS, partition)
    except NoSuchPartitionError:
        return 0, 0


async def records_at(log: Log, partition: int, offsets: Sequence[int]) -> dict[int, LogRecord]:
    """The records of the points topic at the first of ``offsets``, which ascend, by offset.

    All that one read gives, at least one where the log holds it; what it doesn't hold is passed over.
    """
    start, end = await bounds(log, partition)
    wanted = [offset for offset in offsets if start <= offset < end]
    if not wanted:
        return {}
    records = await log.read(Topic.POINTS, partition, wanted[0], READ_BYTES if len(wanted) > 1 else 1)
    return {record.offset: record for record in records}


async def record_at(log: Log, partition: int, offset: int) -> LogRecord | None:
    """The record of the points topic there; None when the log doesn't hold it."""
    return (await records_at(log, partition, [offset])).get(offset)
