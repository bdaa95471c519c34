"""Fetching the points of one shard: what a selection asks for, for the final hits only."""

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

from numpy.typing import NDArray

from projector.view.part import Part, row_of
from projector.view.shard_view import ShardView
from query_api.budget import INLINE_US
from query_api.fetch.projection import exclude, include
from query_api.hits import SLOTS, Hit, parts_and_slots
from query_api.plan.selection import PayloadExclude, PayloadInclude, Selection
from query_api.points import FetchedPoint

POINT_US = 4.0
BYTE_US, PROJECTED_BYTE_US = 0.0003, 0.01
"""For each byte of payloads, as they are, or taken apart and put together again."""
_NO_PAYLOAD = b"{}"


def fetch(
    view: ShardView, hits: Sequence[Hit], selection: Selection, most: float = inf
) -> tuple[list[FetchedPoint], int]:
    """The points of this view in the places that hits say, in their order; and how many bytes they take.

    None beyond ``most`` bytes of payloads.
    """
    parts, with_payload, names = view.parts, selection.with_payload is not False, selection.with_vector
    project = _projection(selection)
    points: list[FetchedPoint] = []
    taken = 0
    payload = vectors = None
    for hit in hits:
        number, slot = divmod(hit.place, SLOTS)
        part = parts[number]
        if with_payload:
            payload = part.payload_at(slot) or _NO_PAYLOAD
            if project is not None:
                payload = project(payload)
            most -= len(payload)
            taken += len(payload)
        if names is not False:
            vectors = _vectors_at(part, slot, names)
            taken += sum(vector.nbytes for vector in vectors.values())
        points.append(FetchedPoint(hit.id, part.version_at(slot), payload, vectors))
        if most < 0:
            break
    return points, taken


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


def _vectors_at(part: Part, slot: int, asked: bool | Sequence[str]) -> dict[str, NDArray[Any]]:
    names: Sequence[str] = part.vector_names if isinstance(asked, bool) else asked
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
    if isinstance(selection.with_payload, bool):
        return None
    match selection.with_payload:
        case PayloadInclude(paths):
            included = tuple(path.steps for path in paths)
            return lambda payload: include(payload, included)
        case PayloadExclude(paths):
            excluded = tuple(path.steps for path in paths)
            return lambda payload: exclude(payload, excluded)
