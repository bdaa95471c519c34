"""Fetching the points of one shard."""

from collections.abc import Sequence

from projector.view.shard_view import ShardView
from query_api.fetch.fetcher import Fetcher
from query_api.hits import Hit
from query_api.places import part_and_slot
from query_api.plan.selection import Selection
from query_api.points import FetchedPoint

POINT_US = 4.0


def fetch(view: ShardView, hits: Sequence[Hit], selection: Selection) -> list[FetchedPoint]:
    """The points of this view in the places that hits say, in their order."""
    one = Fetcher(selection).fetch
    points: list[FetchedPoint] = []
    for hit in hits:
        number, slot = part_and_slot(hit.place)
        points.append(one(view.parts[number], slot, hit.id))
    return points


def fetch_us(hits: Sequence[Hit]) -> float:
    """How long fetching takes, in microseconds."""
    return len(hits) * POINT_US


def size(points: Sequence[FetchedPoint]) -> int:
    """The bytes of their payloads and vectors."""
    total = 0
    for point in points:
        if point.payload is not None:
            total += len(point.payload)
        if point.vectors:
            total += sum(vector.nbytes for vector in point.vectors.values())
    return total
