"""What a fetch of aiokafka's gave: bounded once decompressed, and handed on as one of Faust's messages."""

from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from ingest.kafka.batch import batches, decompressed_size
from ingest.log import LogRecord

MOST_DECODED_BYTES = 8 << 20
"""What a fetch gives of a partition may decompress to so much."""


class Delivery(ConsumerMessage):
    """Records of one partition, in order, as one of Faust's messages."""

    __slots__ = ("records",)

    def __init__(self, tp: TP, records: Sequence[LogRecord], generation: int) -> None:
        offset = records[-1].offset
        super().__init__(tp.topic, tp.partition, offset, 0.0, 0, None, None, b"", None, tp=tp, generation_id=generation)
        self.records = records


def log_record(record: ConsumerRecord[bytes, bytes]) -> LogRecord:
    """A record of aiokafka's as the Log port gives them."""
    headers = tuple([(name, value or b"") for name, value in record.headers]) if record.headers else ()
    return LogRecord(record.partition, record.offset, record.timestamp, record.key, record.value, headers)


class BoundedRecords(MemoryRecords):
    """What a fetch gave of a partition, as long as it is not much more once it is decompressed.

    aiokafka decompresses a batch at once, whatever that gives. Who reads the log directly has a bound.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._batches = batches(memoryview(data))
        self._room = MOST_DECODED_BYTES

    def next_batch(self) -> Any:
        """The next batch, None after the last. Raises ValueError when it is too much."""
        raw = next(self._batches, None)
        if raw is not None:
            self._room -= decompressed_size(raw, self._room)
            if self._room < 0:
                raise ValueError("a fetch decompresses to more than is held")
        return super().next_batch()


fetcher.MemoryRecords = BoundedRecords
