"""The router of a worker: its own connection, its view of the catalog, its own consumer group; and who stands by."""

from collections.abc import Callable, Mapping, Sequence
from typing import Self

from compose.projector.tasks import Tasks
from compose.router_group import router_group
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.kafka.groups import GroupOffsets
from ingest.log import Log, LogRecord, Topic
from ingest.router import Router
from projector.feed.catalog_follower import CatalogFeedFollower
from projector.folders import StateFolder
from projector.worker.catching_up import Partition
from projector.worker.outbox_relay import RelayResources, outbox_relays
from projector.worker.relay import OpenRelay, rejecter
from projector.worker.router_offsets import RouterOffsets
from projector.worker.standby_relay import StandbyResources, standby_relays

_READ_BYTES = 1 << 20

OfferEarly = Callable[[Partition, Sequence[LogRecord]], None]
"""``projector.worker.worker.Worker.offer_early``."""


class Relays:
    """What the routing of all partitions stands on. The catalog may be folded by another worker of the group."""

    def __init__(
        self,
        log: KafkaLog,
        offsets: GroupOffsets,
        catalog: CatalogFeedFollower,
        prefix: str,
        tasks: Tasks,
        offer_early: OfferEarly,
    ) -> None:
        """See ``open``."""
        self._offer_early = offer_early
        self._log = log
        self._offsets = offsets
        self._catalog = catalog
        reject = rejecter(log, Topic.POINTS)
        router = Router(
            log,
            catalog,
            self._catalog_is_current,
            reject,
            log.max_record_bytes(Topic.POINTS),
            appended=self._appended,
        )
        shared = RelayResources(RouterOffsets(log, offsets, router_group(prefix)), router, reject, tasks.start)
        self.open_relay: OpenRelay = outbox_relays(shared)
        tasks.start(catalog.run())

    @classmethod
    async def open(cls, kafka: KafkaSettings, folder: StateFolder, tasks: Tasks, offer_early: OfferEarly) -> Self:
        """Reach Kafka, and begin to follow the catalog. Raises KafkaTopicError, LogUnavailableError, OSError.

        ``offer_early`` is given what was forwarded: where this worker has the home too, it need not wait for Faust.
        """
        log = await KafkaLog.open(kafka, create=False)
        try:
            offsets = await GroupOffsets.open(kafka)
        except BaseException:
            await log.close()
            raise
        return cls(log, offsets, CatalogFeedFollower(folder, log.identity), kafka.prefix, tasks, offer_early)

    async def _catalog_is_current(self) -> None:
        # Not up to the end offset: the last offsets may be without a record.
        while records := await self._log.read(Topic.CATALOG, 0, self._catalog.waiters.visible + 1, _READ_BYTES):
            await self._catalog.waiters.wait(records[-1].offset, None)

    def _appended(self, partition: int, records: Sequence[LogRecord]) -> None:
        self._offer_early((Topic.POINTS, partition), records)

    async def close(self) -> None:
        """After ``tasks`` were stopped."""
        self._catalog.close()
        await self._offsets.close()
        await self._log.close()


class StandbyRelays:
    """What the partitions of a group that doesn't route stand on: they keep what the router has yet to deal with."""

    def __init__(self, offsets: GroupOffsets, routed: RouterOffsets, tasks: Tasks) -> None:
        """See ``open``."""
        self._offsets = offsets
        self.open_relay: OpenRelay = standby_relays(StandbyResources(routed, tasks.start))

    @classmethod
    async def open(cls, kafka: KafkaSettings, log: Log, tasks: Tasks) -> Self:
        """Reach Kafka. Raises LogUnavailableError."""
        offsets = await GroupOffsets.open(kafka)
        return cls(offsets, RouterOffsets(log, offsets, router_group(kafka.prefix)), tasks)

    async def close(self) -> None:
        """After ``tasks`` were stopped."""
        await self._offsets.close()


async def router_offsets(kafka: KafkaSettings, log: Log) -> Mapping[int, int]:
    """How far the router is in every points partition. Raises LogUnavailableError."""
    offsets = await GroupOffsets.open(kafka)
    try:
        routed = RouterOffsets(log, offsets, router_group(kafka.prefix))
        return {partition: await routed.offset(partition) for partition in range(log.partitions(Topic.POINTS))}
    finally:
        await offsets.close()
