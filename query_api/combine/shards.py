"""The shards of a collection as one."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from msgspec.structs import replace

from query_api.budget import Budget
from query_api.combine.weighing import weigh
from query_api.explain import NodeNote, Notes
from query_api.hits import Hit
from query_api.plan.facet import Facet, FacetValue
from query_api.plan.leaves import Compared, Leaf, Nearest, Points, Scroll
from query_api.plan.selection import Selection
from query_api.points import FetchedPoint, Values
from query_api.ports import Shard
from schemas.filters import Filter
from schemas.ids import PointId
from schemas.json_path import Path
from schemas.rest.shard_keys import ShardKey

_MERGED_US, _VALUE_US = 2.0, 0.3
"""For each hit that is merged, and each value of a facet."""
ResultT = TypeVar("ResultT")


class Shards:
    """All shards, for one request and within its budget."""

    def __init__(self, shards: Sequence[Shard], budget: Budget, keys: Sequence[ShardKey] = ()) -> None:
        """``keys``: the key of each shard; none where they have none. A point may be in shards of several keys."""
        self._shards = shards
        self._budget = budget
        self._keys = keys

    @property
    def points(self) -> int:
        """How many points there are."""
        return sum(shard.points for shard in self._shards)

    async def find(self, leaf: Leaf, note: NodeNote | None = None) -> list[Hit]:
        """What a leaf finds in all shards together; how goes to ``note``. Raises what ``Shard.find`` does."""
        if isinstance(leaf, Nearest | Compared) and leaf.idf is not None:
            leaf = await weigh(self._shards, leaf, leaf.idf, self._budget)
        if note is not None:
            return await self._noted(leaf, note)
        if len(self._shards) == 1:
            return await self._shards[0].find(leaf, self._budget)
        found = await asyncio.gather(*(shard.find(leaf, self._budget) for shard in self._shards))
        return await self._merged(leaf, found)

    async def _noted(self, leaf: Leaf, note: NodeNote) -> list[Hit]:
        notes = [Notes() for _ in self._shards]
        pairs = zip(self._shards, notes, strict=True)
        found = await asyncio.gather(*(shard.find(leaf, self._budget, mine) for shard, mine in pairs))
        for number, mine in enumerate(notes):
            for part in mine.parts:
                part.shard = number
            note.parts += mine.parts
        return await self._merged(leaf, found)

    async def _merged(self, leaf: Leaf, found: Sequence[Sequence[Hit]]) -> list[Hit]:
        most = min(leaf.limit, sum(map(len, found)))
        return await self._budget.run(lambda _: merged(leaf, found, by_key=bool(self._keys)), most * _MERGED_US)

    async def fetch(self, hits: Sequence[Hit], selection: Selection) -> list[FetchedPoint]:
        """The points that were found, in their order. Raises what ``Shard.fetch`` does."""
        if len(self._shards) == 1:
            points = await self._shards[0].fetch(hits, selection, self._budget)
        else:
            points = await self._of_each(hits, lambda shard, some: shard.fetch(some, selection, self._budget))
        if self._keys:
            for hit, point in zip(hits, points, strict=True):
                point.shard_key = self._keys[hit.shard]
        return points

    async def values(self, hits: Sequence[Hit], by: Path) -> list[Values]:
        """The strings and integers that the points have at a path, in order. Raises what ``Shard.values`` does."""
        return await self._of_each(hits, lambda shard, some: shard.values(some, by, self._budget))

    async def _of_each(
        self, hits: Sequence[Hit], ask: Callable[[Shard, Sequence[Hit]], Awaitable[list[ResultT]]]
    ) -> list[ResultT]:
        """What ``ask`` gives of each hit, asked of the shard that found it, in order."""
        if len(self._shards) == 1:
            return await ask(self._shards[0], hits)
        mine: dict[int, list[Hit]] = {}
        for hit in hits:
            mine.setdefault(hit.shard, []).append(hit)
        answers = await asyncio.gather(*(ask(self._shards[number], some) for number, some in mine.items()))
        rest = {number: iter(answer) for number, answer in zip(mine, answers, strict=True)}
        return [next(rest[hit.shard]) for hit in hits]

    async def get(self, ids: Sequence[PointId], selection: Selection) -> dict[PointId, FetchedPoint]:
        """Those of the points that there are. Raises as ``fetch``."""
        wanted = frozenset(ids)
        hits = await self.find(Points(ids=wanted, limit=len(wanted))) if wanted else []
        return {point.id: point for point in await self.fetch(hits, selection)}

    async def facet(self, facet: Facet) -> Mapping[FacetValue, int]:
        """How many points have each value of a payload key. Raises what ``Shard.facet`` does."""
        if len(self._shards) == 1:
            return await self._shards[0].facet(facet, self._budget)
        found = await asyncio.gather(*(shard.facet(facet, self._budget) for shard in self._shards))
        return await self.compute(lambda: _summed(found), sum(map(len, found)) * _VALUE_US)

    async def compute(self, work: Callable[[], ResultT], us: float) -> ResultT:
        """What ``work`` gives, which takes about ``us`` microseconds; on a thread if that is long.

        Raises what it does, TimedOutError.
        """
        return await self._budget.run(lambda _: work(), us)

    async def count(self, filter: Filter | None) -> int:
        """How many points pass. Raises what ``Shard.count`` does."""
        if len(self._shards) == 1:
            return await self._shards[0].count(filter, self._budget)
        return sum(await asyncio.gather(*(shard.count(filter, self._budget) for shard in self._shards)))


def merged(leaf: Leaf, found: Sequence[Sequence[Hit]], *, by_key: bool) -> list[Hit]:
    """The first hits of what shards found, each in order; ``by_key``: a point may be in several.

    Of its equal hits the one is kept that is in the shard of the first key in a scroll, else of the last.
    """
    shards = [_numbered(hits, number) for number, hits in enumerate(found)]
    if not by_key:
        return list(islice(heapq.merge(*shards), leaf.limit))
    sign = 1 if isinstance(leaf, Scroll) else -1
    kept: dict[tuple[PointId, int | float | None], Hit] = {}
    for hit in heapq.merge(*shards, key=lambda hit: (hit.order, hit.id, sign * hit.shard)):
        kept.setdefault((hit.id, hit.value), hit)
        if len(kept) == leaf.limit:
            break
    return list(kept.values())


def _summed(found: Sequence[Mapping[FacetValue, int]]) -> Mapping[FacetValue, int]:
    counts: Counter[FacetValue] = Counter()
    for some in found:
        counts.update(some)
    return counts


def _numbered(hits: Iterable[Hit], shard: int) -> Iterator[Hit]:
    for hit in hits:
        yield replace(hit, shard=shard)
