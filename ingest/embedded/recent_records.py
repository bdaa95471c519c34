"""The last few records of a partition, kept in memory for readers that follow the log closely."""

from ingest.log import LogRecord


class RecentRecords:
    """Consecutive records up to the end offset, about ``limit_bytes`` of memory at most."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        # By offset: reading from the middle of a deque walks to it.
        self._records: dict[int, LogRecord] = {}
        self._first = 0
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: LogRecord) -> None:
        """Keep ``record``, whose offset follows the last one's, and let go of the oldest."""
        if not self._records:
            self._first = record.offset
        self._records[record.offset] = record
        self._bytes += record.size
        while self._bytes > self._limit:
            self._bytes -= self._records.pop(self._first).size
            self._first += 1

    def read(self, offset: int, max_bytes: int) -> list[LogRecord]:
        """Records from ``offset`` on, about ``max_bytes`` of them, at least one; empty if ``offset`` isn't kept."""
        found: list[LogRecord] = []
        size = 0
        record = self._records.get(offset)
        while record is not None and (not found or size < max_bytes):
            found.append(record)
            offset += 1
            following = self._records.get(offset)
            if following is not None:
                size += record.log_size
            record = following
        return found
