"""What a projector logs of rejected records: one line in a while, with how many there were."""

import time
from collections.abc import Sequence

import structlog

from ingest.log import LogRecord
from schemas.operations import Outcome

LINE_SECONDS = 5.0

_logger = structlog.get_logger("headwater.worker")


class RejectionLines:
    """Of one partition: the first rejection at once, then at most a line every LINE_SECONDS."""

    def __init__(self, partition: int, line_seconds: float = LINE_SECONDS) -> None:
        self._partition = partition
        self._line_seconds = line_seconds
        self._told = float("-inf")
        self._since = 0

    def note(self, record: LogRecord, outcomes: Sequence[Outcome]) -> None:
        """``record`` was rejected; one of ``outcomes`` says why."""
        self._since += 1
        now = time.monotonic()
        if now - self._told < self._line_seconds:
            return
        reason = next(o.reason for o in outcomes if o.reason is not None)
        _logger.warning(
            "a record was rejected",
            partition=self._partition,
            offset=record.offset,
            reason=reason,
            since_last_line=self._since,
        )
        self._told, self._since = now, 0
