"""The rejected topic: what could not be applied, as it came, with where it came from and why."""

from collections.abc import Sequence

import msgspec

from ingest.foreign import is_canonical
from ingest.log import Log, LogRecord, NoSuchPartitionError, RecordTooLargeError, Topic
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


async def send_rejected(log: Log, topic: Topic, record: LogRecord, outcomes: Sequence[Outcome]) -> None:
    """Append ``record`` to the rejected topic: at least once for each origin.

    Of one that is too large for the topic, everything but itself.
    Of a forwarded record, the one it was made of is sent, as it came; where the log doesn't hold that any more, what
    was forwarded, under the origin of the other.
    """
    origin = forwarded_from(record) if topic is Topic.POINTS else None
    place = f"{topic}/{record.partition}/{record.offset}"
    if origin is not None:
        place = f"{topic}/{origin.partition}/{origin.offset}"
        record = await record_at(log, origin.partition, origin.offset) or record
    first, reason = next((o, o.reason) for o in outcomes if o.reason is not None)
    where_and_why = ((ORIGIN_HEADER, place.encode()), (REASON_HEADER, reason.encode()))
    first_alone = msgspec.json.encode([first])
    shown = msgspec.json.encode(outcomes)
    if len(shown) > LONGEST_OUTCOMES:
        shown = first_alone
    headers = (*record.headers, *where_and_why, (OUTCOMES_HEADER, shown))
    try:
        await log.append(Topic.REJECTED, 0, record.value, key=record.key, headers=headers)
    except RecordTooLargeError as error:
        # Brokers count what a producer has compressed: a log may hold what can't be appended to it as it is read.
        headers = (*where_and_why, (OUTCOMES_HEADER, first_alone), (LEFT_OUT_HEADER, error.message.encode()))
        await log.append(Topic.REJECTED, 0, None, headers=headers)


def forwarded_from(record: LogRecord) -> Origin | None:
    """Where the record stood of which the router made ``record``; None where it made none."""
    if not is_canonical(record):
        return None
    try:
        decoded = decode_partition_record(record.value or b"")
    except BadInputError:
        return None
    return decoded.origin if isinstance(decoded, PointsRecord) else None


async def record_at(log: Log, partition: int, offset: int) -> LogRecord | None:
    """The record of the points topic there; None when the log doesn't hold it."""
    try:
        start, end = await log.start_offset(Topic.POINTS, partition), await log.end_offset(Topic.POINTS, partition)
    except NoSuchPartitionError:
        return None
    if not start <= offset < end:
        return None
    records = await log.read(Topic.POINTS, partition, offset, 1)
    return records[0] if records and records[0].offset == offset else None
