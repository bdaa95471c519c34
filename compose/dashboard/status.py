"""What the page shows: collections, offsets, rejected records."""

import asyncio
from collections import defaultdict
from typing import Protocol

import msgspec

from ingest.log import Log, LogUnavailableError, Topic
from ingest.ports import Catalog, CollectionEntry
from projector.worker.rejected import ORIGIN_HEADER, REASON_HEADER
from query_api.ports import Readers
from schemas.errors import NotFoundError, UnavailableError

LAST = 5
MOST_COLLECTIONS = 200
_READ_BYTES = 1 << 20
_ASK_SECONDS = 2.0


class Lags(Protocol):
    """How far what can be read is."""

    def visible(self, topic: Topic, partition: int) -> int:
        """The offset up to which reads show everything; -1 for none."""
        ...

    async def applied_lag(self, topic: Topic, partition: int) -> int | None:
        """How many offsets are not applied yet; None where another process applies them."""
        ...


class CollectionRow(msgspec.Struct):
    """A collection."""

    name: str
    status: str
    points: int
    segments: int
    indexed_vectors: int
    queued: int
    aliases: list[str]


class PartitionRow(msgspec.Struct):
    """A partition of the log. ``end`` is the offset of the next record; None where the log doesn't answer."""

    topic: str
    partition: int
    end: int | None
    visible: int
    applied_lag: int | None
    visible_lag: int | None


class RejectedRow(msgspec.Struct):
    """A rejected record: where it is among them, where it came from, and why."""

    offset: int
    origin: str
    reason: str


class Rejected(msgspec.Struct):
    """How many rejected records are kept, and the last few, newest first."""

    count: int
    last: list[RejectedRow]


class DashboardStatus(msgspec.Struct):
    """Everything the page shows; of many collections the first."""

    version: str
    ready: str
    collections: list[CollectionRow]
    partitions: list[PartitionRow]
    rejected: Rejected


class StatusReader:
    """Gathers it."""

    def __init__(self, log: Log, catalog: Catalog, readers: Readers, lags: Lags) -> None:
        self._log = log
        self._catalog = catalog
        self._readers = readers
        self._lags = lags

    async def collections(self) -> list[CollectionRow]:
        """A row for each. Raises UnavailableError while nothing can be read."""
        aliases: defaultdict[str, list[str]] = defaultdict(list)
        for alias, name in sorted(self._catalog.aliases().items()):
            aliases[name].append(alias)
        rows = [await self._collection(entry) for entry in self._catalog.collections()[:MOST_COLLECTIONS]]
        for row in rows:
            row.aliases = aliases[row.name]
        return rows

    async def _collection(self, entry: CollectionEntry) -> CollectionRow:
        try:
            counts = await self._readers.counts(entry)
        except (NotFoundError, UnavailableError):
            return CollectionRow(entry.name, "grey", 0, 0, 0, 0, [])
        status = "red" if counts.optimizer_error else counts.status.value
        return CollectionRow(
            entry.name, status, counts.points, counts.segments, counts.indexed_vectors, counts.queued, []
        )

    async def partitions(self) -> list[PartitionRow]:
        """A row for each partition of the catalog's and the points' topic."""
        return [
            await self._partition(topic, partition)
            for topic in (Topic.CATALOG, Topic.POINTS)
            for partition in range(self._log.partitions(topic))
        ]

    async def _partition(self, topic: Topic, partition: int) -> PartitionRow:
        end = await self._end(topic, partition)
        visible = self._lags.visible(topic, partition)
        lag = None if end is None else max(0, end - 1 - visible)
        return PartitionRow(topic.value, partition, end, visible, await self._lags.applied_lag(topic, partition), lag)

    async def _end(self, topic: Topic, partition: int) -> int | None:
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                return await self._log.end_offset(topic, partition)
        except (TimeoutError, LogUnavailableError):
            return None

    async def rejected(self) -> Rejected:
        """What is on the rejected topic."""
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                return await self._rejected()
        except (TimeoutError, LogUnavailableError):
            return Rejected(0, [])

    async def _rejected(self) -> Rejected:
        count, last = 0, list[RejectedRow]()
        for partition in range(self._log.partitions(Topic.REJECTED)):
            start = await self._log.start_offset(Topic.REJECTED, partition)
            end = await self._log.end_offset(Topic.REJECTED, partition)
            count += end - start
            if end > start:
                begin = max(start, end - LAST)
                for record in await self._log.read(Topic.REJECTED, partition, begin, _READ_BYTES):
                    headers = dict(record.headers)
                    origin, reason = (headers.get(name, b"").decode(errors="replace") for name in _SHOWN)
                    last.append(RejectedRow(record.offset, origin, reason))
        return Rejected(count, sorted(last, key=lambda row: -row.offset)[:LAST])


_SHOWN = (ORIGIN_HEADER, REASON_HEADER)
