"""What leaves find."""

from collections.abc import Iterable
from heapq import nsmallest
from typing import NamedTuple

from schemas.ids import PointId


class Hit(NamedTuple):
    """A point that was found. Hits sort by ``order``, then by id: the order of answers, ids being distinct.

    ``order`` is smaller for better ones and comparable among all shards; ``score`` is what is answered. ``place`` tells
    the shard that found the point where it is, and nobody else anything. ``shard`` is that shard's
    number. ``value`` is what points were ordered by.
    """

    order: float
    id: PointId
    score: float
    place: int = -1
    shard: int = 0
    value: int | float | None = None


def first(hits: Iterable[Hit], limit: int) -> list[Hit]:
    """The first ``limit`` in the order of answers."""
    return nsmallest(limit, hits)
