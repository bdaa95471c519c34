"""What leaves find, and where.

A place is a part of a view by its number, and a slot in it, as one integer. It is good for that view only.
"""

from collections.abc import Iterable
from itertools import islice

import msgspec

from query_api.sorting import in_order
from schemas.ids import PointId

SLOTS = 1 << 32
"""More than a part has: a place is a part's number times this, and a slot."""


class Hit(msgspec.Struct, frozen=True, order=True, gc=False):
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
    return list(islice(in_order(hits), limit))


def first_place(part: int) -> int:
    """The place of a part's first slot; those of the others follow."""
    return part * SLOTS


def parts_and_slots(hits: Iterable[Hit]) -> list[tuple[int, int]]:
    """The opposite for the places of hits: each one's part's number, and slot."""
    return [divmod(hit.place, SLOTS) for hit in hits]
