"""The Faust app: it says which partitions this worker has, and tells the worker what comes on them.

The partitions' states, not the group's committed offsets, decide where reading begins, and the log, not what Faust
hands on, decides what is applied: what is seen twice is skipped, what is missing is read from the log.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from faust import App, Stream
from faust.app.base import BootStrategy
from faust.types import TP

from ingest.kafka.settings import KafkaSettings
from ingest.log import LogUnavailableError, Topic
from projector.worker.catching_up import Partition
from projector.worker.faust.consumer import FoldTransport
from projector.worker.faust.fetched import Delivery
from projector.worker.faust.thread import REQUEST_SECONDS, SESSION_SECONDS
from projector.worker.worker import Worker

COMMIT_EVERY_SECONDS = 2.0
STOP_SECONDS = 15.0

_logger = structlog.get_logger("headwater.worker")


class _Boot(BootStrategy):
    enable_kafka_producer = False
    enable_web = False


class FoldApp(App):
    """A member of the consumer group ``group``, embedded in the event loop that it is started on."""

    BootStrategy = _Boot

    def __init__(self, kafka: KafkaSettings, group: str, worker: Worker, member_name: str | None = None) -> None:
        """``member_name``: what other members see it as; None: the client id."""
        self.kafka = kafka
        self.member_name = member_name or kafka.client_id
        self.group = group
        self._worker = worker
        self._topics = {kafka.topic(topic): topic for topic in (Topic.CATALOG, Topic.POINTS)}
        self._given = asyncio.Event()
        """Cleared while partitions were taken away and the next ones are not known yet."""
        self.in_group = False
        """Whether the group has said which partitions this worker has; none of them, perhaps."""
        self._stopping = False
        self._committed: Mapping[TP, int] = {}
        super().__init__(
            group,
            broker=";".join(f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")),
            autodiscover=False,
            broker_request_timeout=REQUEST_SECONDS,
            broker_session_timeout=SESSION_SECONDS,
            key_serializer="raw",
            value_serializer="raw",
            stream_recovery_delay=0.0,
            stream_wait_empty=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
        )
        for name, topic in self._topics.items():
            self.agent(self.topic(name, key_serializer="raw", value_serializer="raw", acks=False), name=topic)(
                self._fold
            )
        self.on_partitions_revoked.connect(self._on_revoked, weak=False)
        self.on_partitions_assigned.connect(self._on_assigned, weak=False)
        self.on_rebalance_complete.connect(self._on_rebalance_complete, weak=False)
        worker.on_full = self._on_full

    def _create_directories(self) -> None:
        """Faust keeps nothing here."""

    def _new_transport(self) -> FoldTransport:
        return FoldTransport(self.conf.broker_consumer, self)

    async def run(self) -> None:
        """Be a member of the group until cancelled. Raises LogUnavailableError when Faust gives up."""
        await self.start()
        both = [asyncio.create_task(self._commit_regularly()), asyncio.create_task(self.wait_until_stopped())]
        try:
            for ended in (await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED))[0]:
                ended.result()
            raise LogUnavailableError(f"Faust ended: {self.crash_reason!r}") from self.crash_reason
        finally:
            for task in both:
                task.cancel()

    async def leave(self) -> None:
        """Leave the group, so that others get the partitions at once. The worker should have let them go before."""
        self._stopping = True
        self._given.set()
        self._worker.reconsider()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.stop()
        except TimeoutError:
            _logger.error("the consumer group was not left in time")

    async def _fold(self, stream: Stream) -> None:
        async for event in stream.noack().events():
            message = event.message
            if isinstance(message, Delivery):
                self._worker.offer(self._partition(message.topic, message.partition), message.records)

    async def _on_revoked(self, app: App, revoked: Iterable[TP], **_: Any) -> None:
        self._given.clear()
        self._worker.set_live(False)

    async def _on_assigned(self, app: App, assigned: Iterable[TP], **_: Any) -> None:
        self._given.set()
        self._worker.reconsider()

    async def _on_rebalance_complete(self, app: App, **_: Any) -> None:
        """Open what was given and catch up. Faust waits for this before it hands anything on."""
        generation = self.consumer_generation_id
        given = [self._partition(*tp) for tp in self.consumer.assignment()]
        _logger.info("partitions given", partitions=[f"{topic}-{number}" for topic, number in sorted(given)])
        self.in_group = True
        await self._worker.assign(given, lambda: self._stopping or self.consumer_generation_id != generation)
        # Between losing partitions and being given the next ones, Faust would begin again with the old ones.
        await self._given.wait()

    def begin(self) -> Mapping[TP, int]:
        """Where to begin, on the partitions that are open; from now on, what comes after is handed on."""
        self._worker.set_live(True)
        for partition in self._worker.full:
            # In a rebalance Faust forgets which ones it was told of.
            self._on_full(partition, True)
        return self._positions()

    def tell(self, partitions: Iterable[TP]) -> None:
        """There may be more on the log than was handed on."""
        self._worker.tell(self._partition(*tp) for tp in partitions)

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_EVERY_SECONDS)
            await self.commit_applied()

    async def commit_applied(self) -> None:
        """Let the group's committed offsets follow the applied ones."""
        positions = self._positions()
        moved = {tp: offset for tp, offset in positions.items() if self._committed.get(tp) != offset}
        if moved and self._given.is_set() and await self.consumer._commit(moved):
            self._committed = positions

    def _on_full(self, partition: Partition, full: bool) -> None:
        tp = self._tp(partition)
        if full:
            self.consumer.on_buffer_full(tp)
        else:
            self.consumer.on_buffer_drop(tp)

    def _positions(self) -> dict[TP, int]:
        return {self._tp(partition): offset for partition, offset in self._worker.positions().items()}

    def _partition(self, name: str, number: int) -> Partition:
        return self._topics[name], number

    def _tp(self, partition: Partition) -> TP:
        return TP(self.kafka.topic(partition[0]), partition[1])
