"""The router of a worker: its own connection, its own view of the catalog, its own consumer group."""

from typing import Self

from compose.projector.tasks import Tasks
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.kafka.groups import GroupOffsets
from ingest.log import Topic
from ingest.router import Router
from projector.feed.catalog_follower import CatalogFeedFollower
from projector.folders import StateFolder
from projector.worker.routing import RoutingOffice, routing_through
from projector.worker.routing_port import OpenRouting, rejecter

_READ_BYTES = 1 << 20


class RoutingDesk:
    """What the routing of all partitions stands on. The catalog may be folded by another worker of the group."""

    def __init__(
        self, log: KafkaLog, offsets: GroupOffsets, catalog: CatalogFeedFollower, prefix: str, tasks: Tasks
    ) -> None:
        """See ``open``."""
        self._log = log
        self._offsets = offsets
        self._catalog = catalog
        reject = rejecter(log, Topic.POINTS)
        router = Router(log, catalog, self._catalog_is_current, reject)
        office = RoutingOffice(log, router, offsets, router_group(prefix), reject, tasks.start)
        self.open_routing: OpenRouting = routing_through(office)
        tasks.start(catalog.run())

    @classmethod
    async def open(cls, kafka: KafkaSettings, folder: StateFolder, tasks: Tasks) -> Self:
        """Reach Kafka, and begin to follow the catalog. Raises KafkaTopicError, LogUnavailableError, OSError."""
        log = await KafkaLog.open(kafka, create=False)
        try:
            offsets = await GroupOffsets.open(kafka)
        except BaseException:
            await log.close()
            raise
        return cls(log, offsets, CatalogFeedFollower(folder, log.identity), kafka.prefix, tasks)

    async def _catalog_is_current(self) -> None:
        # Not up to the end offset: the last offsets may be without a record.
        while records := await self._log.read(Topic.CATALOG, 0, self._catalog.waiters.visible + 1, _READ_BYTES):
            await self._catalog.waiters.wait(records[-1].offset, None)

    async def close(self) -> None:
        """After ``tasks`` were stopped."""
        self._catalog.close()
        await self._offsets.close()
        await self._log.close()


def router_group(prefix: str) -> str:
    """The router's consumer group."""
    return f"{prefix}.router"
