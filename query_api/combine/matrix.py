"""Distances among a sample of points: each one's nearest among the others."""

from collections.abc import Sequence
from typing import NamedTuple

from query_api.combine.shards import Shards
from query_api.hits import Hit
from query_api.plan.filters import only
from query_api.plan.leaves import Nearest, Sample
from query_api.plan.selection import Selection
from schemas.ids import PointId


class Row(NamedTuple):
    """A point, and the nearest of the others, nearest first."""

    id: PointId
    nearest: Sequence[Hit]


async def matrix(shards: Shards, sample: Sample, using: str, limit: int) -> list[Row]:
    """A row for every point that the sample finds, by id; none when there is only one. Raises what the shards do."""
    hits = sorted(await shards.find(sample), key=lambda hit: hit.id)
    if len(hits) < 2:
        return []
    points = await shards.fetch(hits, Selection(with_payload=False, with_vector=(using,)))
    among = only(frozenset(hit.id for hit in hits))
    rows: list[Row] = []
    for point in points:
        leaf = Nearest(
            limit=limit,
            filter=among,
            vector=(point.vectors or {})[using].tobytes(),
            using=using,
            exact=True,
            excluded=frozenset((point.id,)),
        )
        rows.append(Row(point.id, await shards.find(leaf)))
    return rows
