"""Reads over views as one call each: planned, run in all shards, fetched."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest.deadline import Deadline
from projector.view.shard_view import ShardView
from query_api.budget import INLINE_US, Budget
from query_api.combine.run import run
from query_api.combine.shards import Shards
from query_api.find.kinds import filter_us, prepare
from query_api.local import LocalShard
from query_api.plan.leaves import Nearest, QuantizedSearch, Scroll
from query_api.plan.selection import Selection
from query_api.plan.tree import Node, Plan
from query_api.points import FetchedPoint
from query_api.threads import ReadThreads
from schemas.filters import Filter
from schemas.ids import PointId

ResultT = TypeVar("ResultT")
ANSWER_BYTES = 1 << 30
WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class NearestQuery:
    """A query for the points nearest to ``vector``, float32 [dim]."""

    vector: NDArray[np.float32]
    using: str
    limit: int
    offset: int = 0
    filter: Filter | None = None
    score_threshold: float | None = None
    hnsw_ef: int | None = None
    exact: bool = False
    indexed_only: bool = False
    excluded: PointId | None = None
    quantization: QuantizedSearch = field(default_factory=QuantizedSearch)

    @property
    def leaf(self) -> Nearest:
        """The same as a leaf."""
        return Nearest(
            limit=self.limit + self.offset,
            filter=self.filter,
            vector=self.vector.tobytes(),
            using=self.using,
            score_threshold=self.score_threshold,
            hnsw_ef=self.hnsw_ef,
            exact=self.exact,
            indexed_only=self.indexed_only,
            excluded=frozenset() if self.excluded is None else frozenset((self.excluded,)),
            quantization=self.quantization,
        )


@dataclass(frozen=True, slots=True, eq=False)
class FoundPoint:
    """A hit, and what was fetched of it."""

    id: PointId
    score: float
    version: int
    payload: bytes | None


def budget() -> Budget:
    """One that nothing here exceeds."""
    return Budget(ReadThreads(), Deadline(WAIT_SECONDS), ANSWER_BYTES)


def read(views: Sequence[ShardView], ask: Callable[[Shards], Awaitable[ResultT]]) -> ResultT:
    """What ``ask`` gets from shards over these views."""

    async def asked() -> ResultT:
        return await ask(Shards([LocalShard(view) for view in views], budget()))

    return asyncio.run(asked())


def found(views: Sequence[ShardView], root: Node, selection: Selection, offset: int = 0) -> list[FoundPoint]:
    """What a plan gives."""

    async def ask(shards: Shards) -> list[FoundPoint]:
        hits = await run(shards, Plan(root, offset, selection))
        points = await shards.fetch(hits, selection)
        pairs = zip(hits, points, strict=True)
        return [FoundPoint(point.id, hit.score, point.version, point.payload) for hit, point in pairs]

    return read(views, ask)


def search(views: Sequence[ShardView], query: NearestQuery, selection: Selection) -> list[FoundPoint]:
    """The nearest points."""
    return found(views, query.leaf, selection, query.offset)


def scroll(
    views: Sequence[ShardView], *, filter: Filter | None, limit: int, offset: PointId | None, selection: Selection
) -> tuple[list[FetchedPoint], PointId | None]:
    """A page of points in id order, and the id at which the next one begins."""

    async def ask(shards: Shards) -> tuple[list[FetchedPoint], PointId | None]:
        hits = await shards.find(Scroll(limit=limit + 1, filter=filter, start=offset))
        page = await shards.fetch(hits[:limit], selection)
        return page, hits[limit].id if len(hits) > limit else None

    return read(views, ask)


def count(views: Sequence[ShardView], filter: Filter | None) -> int:
    """How many points pass."""
    return read(views, lambda shards: shards.count(filter))


def retrieve(views: Sequence[ShardView], ids: Iterable[PointId], selection: Selection) -> list[FetchedPoint]:
    """Points by id, by id."""
    points = read(views, lambda shards: shards.get(list(ids), selection))
    return [points[point_id] for point_id in sorted(points)]


def is_costly(views: Sequence[ShardView], query: NearestQuery) -> bool:
    """Whether any shard is searched on threads."""
    works = [prepare(view, query.leaf) for view in views]
    return any(work.us + sum(ahead.us for ahead in work.ahead) > INLINE_US for work in works)


def is_costly_filter(views: Sequence[ShardView], filter: Filter) -> bool:
    """Whether any shard is counted on a thread."""
    return any(filter_us(view, filter) > INLINE_US for view in views)
