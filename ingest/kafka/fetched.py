"""The records in what a broker sent: decoded one by one, without control records and aborted transactions."""

from collections.abc import Iterator, Sequence
from itertools import chain

from aiokafka.errors import CorruptRecordException, KafkaError
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.default_records import DefaultRecordBatch

from ingest.decompress import DecompressError
from ingest.kafka.batch import batches, decode_batch
from ingest.kafka.errors import describe
from ingest.log import LogDamagedError, LogRecord, LogUnavailableError

AbortedTransactions = Sequence[tuple[int, int]]
"""(producer id, offset of its first record in the transaction)."""


class Fetched:
    """A stretch of a partition, from ``start`` on, that is read once from front to back.

    Offsets without a record (aborted transactions, markers of transactions, records that were deleted) are skipped.
    ``at_end`` says that nothing followed the stretch when it was fetched.
    """

    def __init__(
        self, where: tuple[str, int], start: int, data: bytes, aborted: AbortedTransactions, *, at_end: bool
    ) -> None:
        """``where`` is the topic's name and the partition; ``data`` are batches as Kafka stores them."""
        self.start = start
        self.at_end = at_end
        self.next_offset = start
        self.is_empty = not data
        self._where = where
        self._aborted = sorted(aborted or (), key=lambda transaction: transaction[1])
        self._records = self._decode(data)
        self._error: Exception | None = None
        self._head: LogRecord | None = None
        self._advance()

    @property
    def has_record(self) -> bool:
        """Whether a record is left. Raises LogDamagedError, LogUnavailableError when what is left can't be decoded."""
        if self._head is None and self._error is not None:
            raise self._error
        return self._head is not None

    def covers(self, offset: int) -> bool:
        """Whether going on from ``offset`` means going on here."""
        return self.start <= offset <= (self.next_offset if self._head is None else self._head.offset)

    def take(self, max_bytes: int) -> list[LogRecord]:
        """The next records, about ``max_bytes`` of them, at least one where one is left. Raises as ``has_record``."""
        head = self._head if self.has_record else None
        if head is None:
            return []
        records = [head]
        size = head.log_size
        self._head = None
        try:
            for record in self._records:
                if size >= max_bytes:
                    self._head = record
                    break
                records.append(record)
                size += record.log_size
        except (LogDamagedError, LogUnavailableError) as error:
            self._error = error
        self.start = records[-1].offset + 1
        return records

    def decode_some(self, max_bytes: int) -> int | None:
        """Decode about ``max_bytes``, to be taken later, and return the offset of the last record that is."""
        if not self.has_record:
            return None
        start = self.start
        records = self.take(max_bytes)
        rest = self._records if self._head is None else chain([self._head], self._records)
        last = records[-1] if self._head is None else self._head
        self.start, self._head, self._records = start, records[0], chain(records[1:], rest)
        return last.offset

    def _advance(self) -> None:
        try:
            self._head = next(self._records, None)
        except (LogDamagedError, LogUnavailableError) as error:
            self._error = error

    def _place(self) -> str:
        return f"{self._where[0]}-{self._where[1]} at or after offset {self.next_offset}"

    def _decode(self, data: bytes) -> Iterator[LogRecord]:
        try:
            yield from self._decode_batches(data)
        except (CorruptRecordException, DecompressError) as error:
            raise LogDamagedError(f"{self._place()} is damaged: {describe(error)}") from error
        except KafkaError as error:
            raise LogUnavailableError(f"{self._place()} can't be decoded: {describe(error)}") from error

    def _decode_batches(self, data: bytes) -> Iterator[LogRecord]:
        aborting: set[int] = set()
        partition = self._where[1]
        for raw in batches(memoryview(data)):
            batch = DefaultRecordBatch(bytes(raw))
            if not batch.validate_crc():
                raise CorruptRecordException("its checksum is wrong")
            if not self._is_dropped(batch, aborting):
                # The first batch starts where it starts, not where reading does.
                for record in decode_batch(raw, partition, self.next_offset):
                    self.next_offset = record.offset + 1
                    yield record
            self.next_offset = batch.next_offset

    def _is_dropped(self, batch: DefaultRecordBatch, aborting: set[int]) -> bool:
        producer = batch.producer_id
        if producer is None:
            return False
        while self._aborted and self._aborted[0][1] <= batch.base_offset:
            aborting.add(self._aborted.pop(0)[0])
        if batch.is_control_batch:
            if ControlRecord.parse(next(iter(batch)).key or b"") == ABORT_MARKER:
                aborting.discard(producer)
            return True
        return batch.is_transactional and producer in aborting
