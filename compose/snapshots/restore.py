"""An archive back into a collection, through the log like everything else (docs/snapshot-archives.md).

A whole collection is filled where nobody sees it, and then takes its name in one record. The points of a single shard
change where they are, one record after another.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import structlog

from compose.snapshots.archive import ArchivedShard, ArchiveReader
from ingest.catalog_writer import CatalogWriter
from ingest.deadline import Deadline
from ingest.ports import Catalog, CollectionEntry
from ingest.writer import PointsWriter
from query_api.budget import Budget
from query_api.plan.leaves import Scroll
from query_api.ports import Readers
from query_api.threads import ReadThreads
from schemas.config import CollectionConfig
from schemas.errors import BadInputError, HeadwaterError, NotFoundError, TimedOutError
from schemas.ids import PointId, ids_from_wire, ids_to_wire
from schemas.operations import DeletePoints, Operation, Upsert
from schemas.rest.responses import UpdateStatus

_SECONDS = 600.0
"""How long one record may take until it is visible."""
_LISTED = 10_000
"""Ids that are looked at together."""
_TOLD_SECONDS = 5.0

_logger = structlog.get_logger("headwater.snapshots")


class Restorer:
    """Recovers collections and shards."""

    def __init__(self, catalog: Catalog, writer: CatalogWriter, points: PointsWriter, readers: Readers) -> None:
        self._catalog = catalog
        self._writer = writer
        self._points = points
        self._readers = readers
        self._threads = ReadThreads()

    async def collection(self, name: str, path: Path) -> None:
        """Let the collection ``name`` be what the archive has; it is created, or replaced when all is there.

        Raises BadInputError for no archive of a collection, and what the log and a collection's creation raise.
        """
        with await asyncio.to_thread(ArchiveReader, path) as archive:
            if not archive.header.whole:
                raise BadInputError("Bad request: this is the snapshot of a shard, not of a collection")
            entry = await self._writer.stage(name, archive.header.config, Deadline(_SECONDS))
            try:
                told = _Progress(name)
                targets = await self._targets(name, entry, archive.header.shards)
                async for shard, upsert in _records(archive):
                    if shard not in targets:
                        raise BadInputError(f"Bad request: the snapshot has points of shard {shard}, which it has not")
                    await self._write(targets[shard], [upsert])
                    told.add(len(upsert.ids))
                await self._writer.publish(name, entry.uid, Deadline(_SECONDS))
            except BaseException:
                with contextlib.suppress(HeadwaterError):
                    await self._writer.discard(name, entry.uid, Deadline(_SECONDS))
                raise
            told.done()

    async def _targets(
        self, name: str, entry: CollectionEntry, shards: Sequence[ArchivedShard]
    ) -> dict[int, CollectionEntry]:
        """What the points of each archived shard are written to: the collection, or its key, which is created."""
        counts = Counter(shard.key for shard in sorted(shards, key=lambda s: s.id) if shard.key is not None)
        for key, count in counts.items():
            await self._writer.create_shard_key(entry, key, count, Deadline(_SECONDS))
        kept = self._catalog.staged(name)
        by_key = {} if kept is None else {part.key: part for part in kept.keys}
        if not by_key.keys() >= counts.keys():
            raise NotFoundError(f"Not found: collection `{name}` is dropped, or being replaced by another request")
        return {shard.id: entry if shard.key is None else by_key[shard.key] for shard in shards}

    async def shard(self, entry: CollectionEntry, shard: int, path: Path) -> None:
        """Let a shard have the points of the archive, and no others.

        Raises BadInputError for an archive without that shard, or of a collection with other vectors.
        """
        found = entry.shard(shard)
        if found is None:
            raise NotFoundError(f"Not found: shard {shard} not found")
        # All of it is read before anything changes: half a shard is worse than an error.
        await asyncio.to_thread(_check_whole, path)
        with await asyncio.to_thread(ArchiveReader, path) as archive:
            header = archive.header
            _check_shard(header.config, entry.config, shard in (s.id for s in header.shards))
            told, start, place = _Progress(f"{entry.name}, shard {shard}"), PointId(0), _Place(*found)
            async for number, upsert in _records(archive):
                if number != shard:
                    continue
                ids = ids_from_wire(upsert.ids)
                end = PointId(ids[-1] + 1)
                await self._delete_others(place, start, end, frozenset(ids))
                await self._write(place.entry, [upsert], place.shard)
                start = end
                told.add(len(ids))
            await self._delete_others(place, start, None, frozenset())
            told.done()

    async def _delete_others(
        self, place: "_Place", start: PointId, end: PointId | None, kept: frozenset[PointId]
    ) -> None:
        """Delete the points from ``start`` to below ``end`` that are not ``kept``."""
        while True:
            budget = Budget(self._threads, Deadline(_SECONDS), 1)
            view = self._readers.shards(place.entry)[place.shard]
            found = [hit.id for hit in await view.find(Scroll(start=start, limit=_LISTED), budget)]
            gone = [i for i in found if i not in kept and (end is None or i < end)]
            if gone:
                await self._write(place.entry, [DeletePoints(ids_to_wire(gone))], place.shard)
            if len(found) < _LISTED or (end is not None and found[-1] >= end):
                return
            start = PointId(found[-1] + 1)

    async def _write(self, entry: CollectionEntry, operations: Sequence[Operation], shard: int | None = None) -> None:
        written = await self._points.write(entry, operations, wait=True, deadline=Deadline(_SECONDS), only=shard)
        if written.status is not UpdateStatus.COMPLETED:
            raise TimedOutError(f"Timeout: a record of the snapshot was not visible after {_SECONDS:g} seconds")


class _Place(NamedTuple):
    """A shard: the entry that has it, and its number there."""

    entry: CollectionEntry
    shard: int


class _Progress:
    """Says in the log now and then how far it is."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._points = 0
        self._next = Deadline(_TOLD_SECONDS)

    def add(self, points: int) -> None:
        self._points += points
        if not self._next.left():
            _logger.info("recovering a snapshot", into=self._what, points=self._points)
            self._next = Deadline(_TOLD_SECONDS)

    def done(self) -> None:
        _logger.info("snapshot recovered", into=self._what, points=self._points)


async def _records(archive: ArchiveReader) -> AsyncIterator[tuple[int, Upsert]]:
    records: Iterator[tuple[int, Upsert]] = archive.records()
    step = partial(next, records, None)
    while (found := await asyncio.to_thread(step)) is not None:
        yield found


def _check_whole(path: Path) -> None:
    with ArchiveReader(path) as archive:
        for _ in archive.records():
            pass


def _check_shard(archived: CollectionConfig, now: CollectionConfig, has_it: bool) -> None:
    if not has_it:
        raise BadInputError("Bad request: the snapshot does not have this shard")
    if archived.names != now.names or archived.shard_number != now.shard_number:
        raise BadInputError("Bad request: the snapshot is of a collection with other vectors or shards")
