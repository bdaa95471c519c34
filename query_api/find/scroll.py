"""Points in id order, page by page."""

import numpy as np
from numpy.typing import NDArray

from projector.columns.slot_set import SlotSet
from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.selection import passing_slots
from query_api.hits import Hit, first_place
from query_api.plan.leaves import Scroll

_PAGE_US, _HIT_US = 10.0, 0.8
_LEAST_WINDOW = 256
"""To look at so many slots takes hardly longer than to look at one."""


def find_in_id_order(view: ShardView, leaf: Scroll, _: Allowance) -> list[Hit]:
    """The first points of a shard that pass.

    Every part finds its place by binary search and gives at most a page, so a page costs the same wherever it is.
    """
    hits: list[Hit] = []
    for number, part in enumerate(view.parts):
        slots = _page(part, leaf)
        places: list[int] = (slots + first_place(number)).tolist()
        hits += (Hit(0.0, i, 1.0, place) for i, place in zip(part.ids_at(slots), places, strict=True))
    hits.sort()
    return hits[: leaf.limit]


def in_id_order_us(view: ShardView, leaf: Scroll) -> float:
    """How long reading the ids of a page takes, in microseconds, once it is known what passes."""
    return len(view.parts) * (_PAGE_US + min(leaf.limit, view.count) * _HIT_US)


def _page(part: Part, leaf: Scroll) -> NDArray[np.int64]:
    start = 0 if leaf.start is None else part.lower_bound(leaf.start)
    found, order = passing_slots(part, leaf.filter), part.id_order()
    if found is not None and found.is_list and order is None:
        slots = found.slots()
        first = int(slots.searchsorted(start))
        return slots[first : first + leaf.limit]
    return _first_passing(order, found, part.size, start, leaf.limit).astype(np.int64, copy=False)


def _first_passing(
    order: NDArray[np.integer] | None, passing: SlotSet | None, total: int, start: int, size: int
) -> NDArray[np.integer]:
    """The first ``size`` slots that pass from place ``start`` of the order on; looks at twice as many each time."""
    window = max(size, _LEAST_WINDOW)
    found: list[NDArray[np.integer]] = []
    missing = size
    while missing > 0 and start < total:
        stop = min(start + window, total)
        slots = np.arange(start, stop) if order is None else order[start:stop]
        if passing is not None:
            slots = slots[passing.has(slots)]
        found.append(slots[:missing])
        missing -= len(found[-1])
        start, window = stop, 2 * window
    return np.concatenate(found) if found else np.empty(0, np.int64)
