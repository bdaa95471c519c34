"""The last few records of a partition, kept in memory for readers that follow the log closely."""

from collections import deque
from itertools import islice

from ingest.embedded.frames import HEADER_BYTES
from ingest.log import LogRecord

_OBJECT_BYTES = 200


def record_bytes(record: LogRecord) -> int:
    """About what ``record`` takes: its contents and a frame header."""
    size = HEADER_BYTES + len(record.key or b"") + len(record.value or b"")
    return size + sum(len(name) + len(value) for name, value in record.headers)


class RecentRecords:
    """Consecutive records up to the end offset, about ``limit_bytes`` of memory at most."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._records: deque[LogRecord] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: LogRecord) -> None:
        """Keep ``record``, whose offset follows the last one's, and let go of the oldest."""
        self._records.append(record)
        self._bytes += record_bytes(record) + _OBJECT_BYTES
        while self._bytes > self._limit:
            self._bytes -= record_bytes(self._records.popleft()) + _OBJECT_BYTES

    def read(self, offset: int, max_bytes: int) -> list[LogRecord]:
        """Records from ``offset`` on, about ``max_bytes`` of them, at least one; empty if ``offset`` isn't kept."""
        if not self._records or not self._records[0].offset <= offset <= self._records[-1].offset:
            return []
        found: list[LogRecord] = []
        size = 0
        for record in islice(self._records, offset - self._records[0].offset, None):
            if found and size >= max_bytes:
                break
            found.append(record)
            size += record_bytes(record)
        return found
