"""What Faust's consumer does otherwise here: where it begins, how much it holds, what a record costs, what ends it.

Faust's own consumer runs every record through its machinery: 185 us of processor time each, measured, where folding one
takes 60. This one hands on what a fetch gave of a partition as one message.
"""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, OffsetAndMetadata, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.record.memory_records import MemoryRecords
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from ingest.kafka.batch import batches, decompressed_size
from ingest.log import LogRecord

if TYPE_CHECKING:
    from projector.worker.faust_app import FoldApp

SESSION_SECONDS = 8.0
"""After this time without a sign of life a worker's partitions are given to others."""
HEARTBEAT_SECONDS = 1.0
REBALANCE_SECONDS = 60.0
REQUEST_SECONDS = REBALANCE_SECONDS + 30.0
"""Joining a group is answered when all others have joined it, or their time is up."""
IDLE_SECONDS = 7 * 24 * 3600.0
"""A worker that catches up with a long log fetches nothing through its group meanwhile, and keeps its partitions."""
METADATA_SECONDS = 30.0
"""How soon partitions that were added are given to somebody."""
FETCH_WAIT_SECONDS = 0.5
PARTITION_FETCH_BYTES = 1 << 20
MOST_DECODED_BYTES = 8 << 20
"""What a fetch gives of a partition may decompress to so much."""
FETCH_BYTES = 16 << 20
COMMIT_SECONDS = 3.0
LEAVE_SECONDS = 5.0
PAUSE_SECONDS = 0.2
GATHER_SECONDS = 0.002
"""What comes within this time is folded together: a fetch, a commit and a frame each cost more than a record."""

Records = Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]]

_logger = structlog.get_logger("headwater.worker")


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


def _fold_app(part: AIOKafkaConsumerThread) -> "FoldApp":
    return cast("FoldApp", part.app)


class FoldThread(AIOKafkaConsumerThread):
    """Runs aiokafka's consumer in a thread of its own, so that heartbeats don't wait for the fold."""

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        # The assignor keeps its last assignment in its class.
        assignor = type("Assignor", (StickyPartitionAssignor,), {})
        app = _fold_app(self)
        arguments = app.kafka.client_arguments()
        arguments["client_id"] = app.member_name
        arguments["request_timeout_ms"] = int(REQUEST_SECONDS * 1000)
        return AIOKafkaConsumer(
            **arguments,
            group_id=app.group,
            partition_assignment_strategy=[assignor],
            enable_auto_commit=False,
            auto_offset_reset="latest",  # until ``seek_to_committed``, which says where to begin
            isolation_level="read_committed",
            fetch_max_wait_ms=int(FETCH_WAIT_SECONDS * 1000),
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
            session_timeout_ms=int(SESSION_SECONDS * 1000),
            heartbeat_interval_ms=int(HEARTBEAT_SECONDS * 1000),
            rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
            max_poll_interval_ms=int(IDLE_SECONDS * 1000),
            metadata_max_age_ms=int(METADATA_SECONDS * 1000),
        )

    async def on_thread_stop(self) -> None:
        """Leave the group. While Kafka is away that can't be done, and aiokafka's consumer fails to stop."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await super().on_thread_stop()
        except (KafkaError, TimeoutError, asyncio.CancelledError) as error:
            # A task of the consumer's was cancelled, not this one. Whatever it left is cancelled after this.
            _logger.warning("the consumer group was not left", reason=repr(error))

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Begin after the applied offsets, whatever the group committed."""
        positions = _fold_app(self).begin()
        await self.call_thread(self._seek, positions)
        return positions

    async def _seek(self, positions: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        for tp, offset in positions.items():
            if tp in assigned:
                consumer.seek(TopicPartition(*tp), offset)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit, for ordinary Kafka tools to show: nothing here depends on it."""
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        wanted = {TopicPartition(*tp): OffsetAndMetadata(o, "") for tp, o in offsets.items() if tp in assigned}
        if not wanted:
            return False
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await consumer.commit(wanted)
        except (KafkaError, TimeoutError) as error:
            _logger.info("offsets not committed", reason=repr(error))
            return False
        return True

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Records:
        try:
            # Faust leaves errors of the group where they are; then nothing comes any more, and no error either.
            consumer._coordinator.check_errors()
            return await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        except ConsumerStoppedError:
            raise
        except KafkaError as error:
            ended = consumer._coordinator._coordination_task.done()
            if ended or (not error.retriable and "Authorization" in type(error).__name__):
                raise
            _logger.warning("fetching goes on after an error", reason=repr(error))
        except (UnicodeDecodeError, ValueError) as error:
            # What aiokafka can't decode, names of headers that aren't text, or is too much, is read through the log.
            _logger.info("a fetch could not be decoded", reason=repr(error))
            await consumer.seek_to_end(*[TopicPartition(*tp) for tp in active_partitions])
        self.consumer.loop.call_soon_threadsafe(_fold_app(self).tell, frozenset(active_partitions))
        await asyncio.sleep(PAUSE_SECONDS)
        return {}


class FoldConsumer(Consumer):
    """Hands on fetches instead of records, and waits with partitions that are full."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._room = asyncio.Event()
        self._fetched_at = 0.0

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return FoldThread(self, loop=self.loop, beacon=self.beacon)

    def on_buffer_drop(self, tp: TP) -> None:
        """There is room again for records of ``tp``."""
        super().on_buffer_drop(tp)
        self._room.set()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's suspicions about partitions that are quiet; the metrics of lag say it better."""

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._drain_once()
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def _drain_once(self) -> None:
        self._room.clear()
        if self.flow_active and self.assignment() and not self._get_active_partitions():
            # Faust would look again after a second.
            with_room = asyncio.create_task(self._room.wait())
            await asyncio.wait({with_room}, timeout=1.0)
            with_room.cancel()
            return
        await asyncio.sleep(self._fetched_at + GATHER_SECONDS - monotonic())
        fetched, _ = await self._wait_next_records(1.0)
        self._fetched_at = monotonic()
        for where, records in (fetched or {}).items():
            if self.flow_active:
                delivery = Delivery(TP(*where), [log_record(r) for r in records], self.app.consumer_generation_id)
                await self.callback(delivery)


class FoldTransport(Transport):
    """Makes the consumer above."""

    Consumer = FoldConsumer
