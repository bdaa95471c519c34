"""The thread in which a consumer group is kept up with: where reading begins, what is committed, what an error ends."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, cast

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, OffsetAndMetadata, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Transport
from faust.types import TP

from ingest.kafka.settings import KafkaSettings

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
FETCH_BYTES = 16 << 20
COMMIT_SECONDS = 3.0
LEAVE_SECONDS = 5.0
PAUSE_SECONDS = 0.2

Records = Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]]

_logger = structlog.get_logger("headwater.worker")


class Member(Protocol):
    """What the thread asks of the app that it runs for."""

    kafka: KafkaSettings
    group: str
    member_name: str

    def begin(self) -> Mapping[TP, int]:
        """Where to begin, on the partitions that are open; from now on, what comes after is handed on."""
        ...

    def tell(self, partitions: Iterable[TP]) -> None:
        """There may be more on the log than was handed on."""
        ...


def _member(part: AIOKafkaConsumerThread) -> Member:
    return cast(Member, part.app)


class FoldThread(AIOKafkaConsumerThread):
    """Runs aiokafka's consumer in a thread of its own, so that heartbeats don't wait for the fold."""

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        # The assignor keeps its last assignment in its class.
        assignor = type("Assignor", (StickyPartitionAssignor,), {})
        member = _member(self)
        arguments = member.kafka.client_arguments()
        arguments["client_id"] = member.member_name
        arguments["request_timeout_ms"] = int(REQUEST_SECONDS * 1000)
        return AIOKafkaConsumer(
            **arguments,
            group_id=member.group,
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
        positions = _member(self).begin()
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
        self.consumer.loop.call_soon_threadsafe(_member(self).tell, frozenset(active_partitions))
        await asyncio.sleep(PAUSE_SECONDS)
        return {}
