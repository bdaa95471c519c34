"""A collection's points, as they are at one moment, into an archive."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from compose.snapshots.archive import ArchivedShard, ArchiveWriter, Header
from ingest.deadline import Deadline
from ingest.ports import CollectionEntry
from query_api.budget import Budget
from query_api.plan.leaves import Scroll
from query_api.plan.selection import Selection
from query_api.points import FetchedPoint
from query_api.ports import Readers, Shard
from query_api.threads import ReadThreads
from schemas.config import CollectionConfig
from schemas.errors import UnprocessableError
from schemas.ids import PointId, ids_to_wire
from schemas.operations import Upsert
from schemas.vectors.gathered import gathered

_WANTED_BYTES = 1 << 20
_MAX_BYTES = 64 << 20
_MAX_POINTS = 1024
_SECONDS = 600.0
"""How long one page may take."""
_EVERYTHING = Selection(with_payload=True, with_vector=True)


class Exporter:
    """Reads what is to be archived, in pages of about a megabyte."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._threads = ReadThreads()

    async def write(self, path: Path, entry: CollectionEntry, shard: int | None = None) -> None:
        """Archive a collection, or one of its shards. Raises NotFoundError, UnavailableError, OSError."""
        # All are taken at once, and stay what they are: what is archived is one picture of each shard.
        numbers = [ArchivedShard(number, key) for number, key in entry.numbers]
        shards = dict(zip(numbers, self._readers.shards(entry), strict=True))
        wanted = {number: view for number, view in shards.items() if shard is None or number.id == shard}
        header = Header(
            collection=entry.name,
            whole=shard is None,
            config=entry.config,
            shards=list(wanted),
        )
        with path.open("wb") as file:
            archive = ArchiveWriter(file, header)
            for number, view in wanted.items():
                async for points in self._pages(view):
                    await asyncio.to_thread(archive.add, number.id, upsert_of(entry.config, points))
            await asyncio.to_thread(archive.close)

    async def _pages(self, shard: Shard) -> AsyncIterator[list[FetchedPoint]]:
        start, limit = PointId(0), 1
        while True:
            budget = Budget(self._threads, Deadline(_SECONDS), _MAX_BYTES)
            hits = await shard.find(Scroll(start=start, limit=limit), budget)
            if not hits:
                return
            try:
                points = await shard.fetch(hits, _EVERYTHING, budget)
            except UnprocessableError:
                if limit == 1:
                    raise
                limit = max(1, limit // 4)
                continue
            yield points
            start = PointId(hits[-1].id + 1)
            limit = max(1, min(_MAX_POINTS, limit * 4, len(points) * _WANTED_BYTES // _bytes_of(points)))


def _bytes_of(points: Sequence[FetchedPoint]) -> int:
    return sum(
        16 + len(point.payload or b"") + sum(vector.nbytes for vector in (point.vectors or {}).values())
        for point in points
    )


def upsert_of(config: CollectionConfig, points: Sequence[FetchedPoint]) -> Upsert:
    """The operation that puts points where they are not yet, with all they have."""
    columns: dict[str, tuple[list[int], list[NDArray[Any]]]] = {}
    for row, point in enumerate(points):
        for name, vector in (point.vectors or {}).items():
            if name not in config.names:
                continue
            rows, values = columns.setdefault(name, ([], []))
            rows.append(row)
            values.append(vector)
    payloads = [b"" if point.payload in (None, b"{}") else point.payload or b"" for point in points]
    return Upsert(
        ids_to_wire([point.id for point in points]),
        {
            name: gathered(config.names[name], values, None if len(rows) == len(points) else rows)
            for name, (rows, values) in sorted(columns.items())
        },
        payloads if any(payloads) else None,
    )
