"""Distances among a sample of points: each one's nearest among the others."""

import asyncio
from typing import NamedTuple

from query_api.combine.shards import Shards
from query_api.hits import Hit
from query_api.plan.filters import only
from query_api.plan.leaves import Nearest, Sample
from query_api.plan.selection import Selection
from schemas.ids import PointId

_SORTED_US = 0.5


class Matrix(NamedTuple):
    """Points, by id; how many others are told of each; and those, a point's nearest first, one point after another.

    Flat, as what has many small lists in it takes long to be looked through for garbage.
    """

    ids: list[PointId]
    counts: list[int]
    nearest: list[Hit]


async def matrix(shards: Shards, sample: Sample, using: str, limit: int) -> Matrix:
    """The points that the sample finds, none when there is only one. Raises what the shards do."""
    found = await shards.find(sample)
    if len(found) < 2:
        return Matrix([], [], [])
    hits = await shards.compute(lambda: sorted(found, key=lambda hit: hit.id), len(found) * _SORTED_US)
    points = await shards.fetch(hits, Selection(with_payload=False, with_vector=(using,)))
    among = only(frozenset(hit.id for hit in hits))
    rows = Matrix([], [], [])
    points.reverse()
    while points:
        point = points.pop()  # given up one by one: all together they would take long to free
        leaf = Nearest(
            limit=limit,
            filter=among,
            vector=(point.vectors or {})[using].tobytes(),
            using=using,
            exact=True,
            excluded=frozenset((point.id,)),
        )
        others = await shards.find(leaf)
        rows.ids.append(point.id)
        rows.counts.append(len(others))
        rows.nearest.extend(others)
        await asyncio.sleep(0)  # what a search takes beside what is estimated adds up
    return rows
