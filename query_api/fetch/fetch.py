"""Fetching the points of one shard: what a selection asks for, for the final hits only."""

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

from numpy.typing import NDArray

from projector.view.part import Part, row_of
from projector.view.shard_view import ShardView
from query_api.budget import INLINE_US
from query_api.fetch.projection import exclude, include
from query_api.hits import Hit, parts_and_slots
from query_api.plan.selection import NOTHING, PayloadExclude, PayloadInclude, Selection
from query_api.points import FetchedPoint
from schemas.ids import PointId

POINT_US = 4.0
BYTE_US, PROJECTED_BYTE_US = 0.0003, 0.01
"""For each byte of payloads, as they are, or taken apart and put together again."""
_NO_PAYLOAD = b"{}"


def fetch(view: ShardView, hits: Sequence[Hit], selection: Selection, most: float = inf) -> list[FetchedPoint]:
    """The points of this view in the places that hits say, in their order; none beyond ``most`` bytes of payloads."""
    parts, one = view.parts, Fetcher(selection).fetch
    places = zip(hits, parts_and_slots(hits), strict=True)
    if selection == NOTHING:
        return [FetchedPoint(hit.id, parts[number].version_at(slot), None, None) for hit, (number, slot) in places]
    points: list[FetchedPoint] = []
    for hit, (number, slot) in places:
        point = one(parts[number], slot, hit.id)
        points.append(point)
        most -= len(point.payload or b"")
        if most < 0:
            break
    return points


def payload_bytes(view: ShardView, hits: Sequence[Hit]) -> int:
    """How many bytes their payloads have."""
    parts = view.parts
    return sum(parts[number].payload_size_at(slot) for number, slot in parts_and_slots(hits))


def fetch_us(view: ShardView, hits: Sequence[Hit], selection: Selection) -> float:
    """How long fetching takes, in microseconds; where the points alone take long, without their payloads."""
    spent = len(hits) * POINT_US
    if spent > INLINE_US or selection.with_payload is False:
        return spent
    return spent + payload_bytes(view, hits) * (BYTE_US if selection.with_payload is True else PROJECTED_BYTE_US)


def size(points: Sequence[FetchedPoint]) -> int:
    """The bytes of their payloads and vectors."""
    total = 0
    for point in points:
        if point.payload is not None:
            total += len(point.payload)
        if point.vectors:
            total += sum(vector.nbytes for vector in point.vectors.values())
    return total


class Fetcher:
    """Fetches points under one selection."""

    def __init__(self, selection: Selection) -> None:
        self._with_payload = selection.with_payload is not False
        self._project = _projection(selection)
        self._vectors = selection.with_vector

    def fetch(self, part: Part, slot: int, point_id: PointId) -> FetchedPoint:
        """The point in a slot."""
        payload = None
        if self._with_payload:
            payload = part.payload_at(slot) or _NO_PAYLOAD
            if self._project is not None:
                payload = self._project(payload)
        vectors = None if self._vectors is False else self._fetch_vectors(part, slot)
        return FetchedPoint(point_id, part.version_at(slot), payload, vectors)

    def _fetch_vectors(self, part: Part, slot: int) -> dict[str, NDArray[Any]]:
        names: Sequence[str] = self._vectors if isinstance(self._vectors, tuple) else part.vector_names
        found = ((name, vector_at(part, slot, name)) for name in names)
        return {name: vector for name, vector in found if vector is not None}


def vector_at(part: Part, slot: int, name: str) -> NDArray[Any] | None:
    """One vector of the point in a slot; None when it has none of this name."""
    vectors = part.vectors(name)
    if vectors is None:
        return None
    row = row_of(vectors, slot)
    return None if row < 0 else vectors.value(row)


def _projection(selection: Selection) -> Callable[[bytes], bytes] | None:
    match selection.with_payload:
        case PayloadInclude(paths):
            included = tuple(path.steps for path in paths)
            return lambda payload: include(payload, included)
        case PayloadExclude(paths):
            excluded = tuple(path.steps for path in paths)
            return lambda payload: exclude(payload, excluded)
        case _:
            return None
