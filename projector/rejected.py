"""The rejected topic: what could not be applied, as it came, with where it came from and why."""

from collections.abc import Sequence

import msgspec

from ingest.log import Log, LogRecord, Topic
from schemas.operations import Outcome

ORIGIN_HEADER = "headwater-origin"
"""topic/partition/offset of the record; tools deduplicate by it."""
REASON_HEADER = "headwater-reason"
"""The first reason."""
OUTCOMES_HEADER = "headwater-outcomes"
"""JSON: the outcome of every operation of the record, in order."""


async def send_rejected(log: Log, topic: Topic, record: LogRecord, outcomes: Sequence[Outcome]) -> None:
    """Append ``record`` to the rejected topic: at least once for each origin."""
    reason = next(o.reason for o in outcomes if o.reason is not None)
    origin = f"{topic}/{record.partition}/{record.offset}"
    headers = (
        *record.headers,
        (ORIGIN_HEADER, origin.encode()),
        (REASON_HEADER, reason.encode()),
        (OUTCOMES_HEADER, msgspec.json.encode(outcomes)),
    )
    await log.append(Topic.REJECTED, 0, record.value, key=record.key, headers=headers)
