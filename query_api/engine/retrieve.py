"""Retrieve: points by id."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.engine.fetch import Fetcher, vector_at
from query_api.engine.model import FetchedPoint, Selection
from schemas.ids import PointId


def retrieve(views: Sequence[ShardView], ids: Iterable[PointId], selection: Selection) -> list[FetchedPoint]:
    """The points that there are, in the order asked for; as in Qdrant an id asked for twice is answered once."""
    fetcher = Fetcher(selection)
    places = ((point_id, _find(views, point_id)) for point_id in dict.fromkeys(ids))
    return [fetcher.fetch(*place, point_id) for point_id, place in places if place is not None]


def vector_of(views: Sequence[ShardView], point_id: PointId, name: str) -> NDArray[np.float32] | None:
    """A point's vector of one name, float32 [dim], normalised for Cosine; None where there is none."""
    place = _find(views, point_id)
    return None if place is None else vector_at(*place, name)


def _find(views: Sequence[ShardView], point_id: PointId) -> tuple[Part, int] | None:
    for view in views:
        place = view.find(point_id)
        if place is not None:
            return place
    return None
