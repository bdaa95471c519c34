"""Scroll: points in id order, page by page."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.engine.fetch import Fetcher
from query_api.engine.model import FetchedPoint, Selection
from query_api.engine.selection import Mask, passing_mask
from schemas.filters import Filter
from schemas.ids import PointId

Place = tuple[PointId, Part, int]


def scroll(
    views: Sequence[ShardView],
    *,
    filter: Filter | None,
    limit: int,
    offset: PointId | None,
    selection: Selection,
) -> tuple[list[FetchedPoint], PointId | None]:
    """The first ``limit`` matching points from the id ``offset`` on, and the id at which the next page begins.

    Every part finds its place by binary search and gives at most a page, so a page costs the same wherever it is.
    """
    places: list[Place] = []
    for view in views:
        for part in view.parts:
            places += _page(part, filter, offset, limit + 1)
    places.sort(key=_id_of)
    following = places[limit][0] if len(places) > limit else None
    fetcher = Fetcher(selection)
    return [fetcher.fetch(part, slot, point_id) for point_id, part, slot in places[:limit]], following


def _id_of(place: Place) -> PointId:
    return place[0]


def _page(part: Part, filter: Filter | None, offset: PointId | None, size: int) -> list[Place]:
    start = 0 if offset is None else part.lower_bound(offset)
    slots = _first_passing(part.id_order(), passing_mask(part, filter), part.size, start, size)
    places: list[int] = slots.tolist()
    return [(point_id, part, slot) for point_id, slot in zip(part.ids_at(slots), places, strict=True)]


def _first_passing(
    order: NDArray[np.integer] | None, mask: Mask | None, total: int, start: int, size: int
) -> NDArray[np.integer]:
    """The first ``size`` slots that pass from place ``start`` of the order on; looks at twice as many each time."""
    window = size
    found: list[NDArray[np.integer]] = []
    missing = size
    while missing > 0 and start < total:
        stop = min(start + window, total)
        slots = np.arange(start, stop) if order is None else order[start:stop]
        if mask is not None:
            slots = slots[mask[slots]]
        found.append(slots[:missing])
        missing -= len(found[-1])
        start, window = stop, 2 * window
    return np.concatenate(found) if found else np.empty(0, np.int64)
