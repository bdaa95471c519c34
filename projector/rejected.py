"""The rejected topic: what could not be applied, as it came, with where it came from and why."""

from collections.abc import Sequence

import msgspec

from ingest.foreign import is_canonical
from ingest.log import Log, LogRecord, Topic
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
LONGEST_OUTCOMES = 512 << 10
"""Bytes: what is added to a record must fit into what the rejected topic takes beyond it."""


async def send_rejected(log: Log, topic: Topic, record: LogRecord, outcomes: Sequence[Outcome]) -> None:
    """Append ``record`` to the rejected topic: at least once for each origin.

    Of a forwarded record, the one it was made of is sent, as it came; where the log doesn't hold that any more, what
    was forwarded, under the origin of the other.
    """
    origin = _forwarded_from(topic, record)
    place = f"{topic}/{record.partition}/{record.offset}"
    if origin is not None:
        place = f"{topic}/{origin.partition}/{origin.offset}"
        record = await _original(log, origin) or record
    first, reason = next((o, o.reason) for o in outcomes if o.reason is not None)
    shown = msgspec.json.encode(outcomes)
    if len(shown) > LONGEST_OUTCOMES:
        shown = msgspec.json.encode([first])
    headers = (
        *record.headers,
        (ORIGIN_HEADER, place.encode()),
        (REASON_HEADER, reason.encode()),
        (OUTCOMES_HEADER, shown),
    )
    await log.append(Topic.REJECTED, 0, record.value, key=record.key, headers=headers)


def _forwarded_from(topic: Topic, record: LogRecord) -> Origin | None:
    if topic is not Topic.POINTS or not is_canonical(record):
        return None
    try:
        decoded = decode_partition_record(record.value or b"")
    except BadInputError:
        return None
    return decoded.origin if isinstance(decoded, PointsRecord) else None


async def _original(log: Log, origin: Origin) -> LogRecord | None:
    """The record at ``origin``; None when the log doesn't hold it."""
    if origin.partition >= log.partitions(Topic.POINTS):
        return None
    if not await _holds(log, origin):
        return None
    records = await log.read(Topic.POINTS, origin.partition, origin.offset, 1)
    return records[0] if records and records[0].offset == origin.offset else None


async def _holds(log: Log, origin: Origin) -> bool:
    start = await log.start_offset(Topic.POINTS, origin.partition)
    return start <= origin.offset < await log.end_offset(Topic.POINTS, origin.partition)
