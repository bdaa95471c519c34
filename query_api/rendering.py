"""Fetched points as the models that answers are encoded from.

Payloads are spliced in as they are stored, vectors as text.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from query_api.budget import INLINE_US
from query_api.decimals import shortest_decimals
from query_api.hits import Hit
from query_api.long_vectors import long_json
from query_api.points import FetchedPoint
from schemas.config import UNNAMED
from schemas.ids import UUID_BASE, render_point_id
from schemas.rest.points import RawVector
from schemas.rest.responses import PointResult, ScoredPointResult
from schemas.vectors.answered import as_json, numbers_of

_POINT_US = 2.0
_VALUE_US = 0.2
_BYTE_US = 0.0003
"""About how long points, numbers of vectors, and bytes of payloads take."""
BLOCK, BLOCK_NUMBERS = 256, 1 << 17
"""So many points' numbers, and so many numbers, are turned to decimals at once."""
_NO_PAYLOAD = _NO_VECTORS = msgspec.Raw(b"{}")
_encode = msgspec.json.Encoder().encode


class Rendering(ABC):
    """How points are answered."""

    @abstractmethod
    def us(self, points: Sequence[FetchedPoint]) -> float:
        """About how long rendering takes, in microseconds."""

    @abstractmethod
    def points(self, points: Sequence[FetchedPoint]) -> list[Any]:
        """What retrieve and scroll answer."""

    @abstractmethod
    def ordered(self, hits: Sequence[Hit], points: Sequence[FetchedPoint]) -> list[Any]:
        """What scroll answers in the order of a payload key."""

    @abstractmethod
    def scored(self, hits: Sequence[Hit], points: Sequence[FetchedPoint]) -> list[Any]:
        """What queries answer: hits, and the points that they are."""


class JsonRendering(Rendering):
    """As REST does, with ``PointResult`` and ``ScoredPointResult``."""

    def us(self, points: Sequence[FetchedPoint]) -> float:
        """About how long rendering takes, in microseconds; where the points alone take long, only that."""
        spent = _POINT_US * len(points)
        if spent > INLINE_US:
            return spent
        for point in points:
            if point.payload is not None:
                spent += _BYTE_US * len(point.payload)
            if point.vectors:
                spent += _VALUE_US * sum(vector.size for vector in point.vectors.values())
        return spent

    def points(self, points: Sequence[FetchedPoint]) -> list[Any]:
        """What retrieve and scroll answer."""
        return render_points(points)

    def ordered(self, hits: Sequence[Hit], points: Sequence[FetchedPoint]) -> list[Any]:
        """What scroll answers in the order of a payload key."""
        return render_ordered(hits, points)

    def scored(self, hits: Sequence[Hit], points: Sequence[FetchedPoint]) -> list[Any]:
        """What queries answer: hits, and the points that they are."""
        return render_scored(hits, points)


AS_JSON: Rendering = JsonRendering()


def render_ordered(hits: Sequence[Hit], points: Sequence[FetchedPoint]) -> list[PointResult]:
    """What scroll answers in the order of a payload key."""
    rendered = render_points(points)
    for hit, point in zip(hits, rendered, strict=True):
        point.order_value = UNSET if hit.value is None else hit.value
    return rendered


def render_points(points: Sequence[FetchedPoint]) -> list[PointResult]:
    """What retrieve and scroll answer."""
    vectors = _vectors(points)
    return [
        PointResult(
            point.id if point.id < UUID_BASE else render_point_id(point.id),
            UNSET if point.payload is None else _payload(point.payload),
            vector,
            shard_key=UNSET if point.shard_key is None else point.shard_key,
        )
        for point, vector in zip(points, vectors, strict=True)
    ]


def render_scored(hits: Sequence[Hit], points: Sequence[FetchedPoint]) -> list[ScoredPointResult]:
    """What queries answer: hits, and the points that they are."""
    vectors = _vectors(points)
    return [
        ScoredPointResult(
            point.id if point.id < UUID_BASE else render_point_id(point.id),
            point.version,
            hit.score,
            UNSET if point.payload is None else _payload(point.payload),
            vector,
            UNSET if hit.value is None else hit.value,
            UNSET if point.shard_key is None else point.shard_key,
        )
        for hit, point, vector in zip(hits, points, vectors, strict=True)
    ]


def _payload(payload: bytes) -> msgspec.Raw:
    return msgspec.Raw(payload) if payload else _NO_PAYLOAD


def _vectors(points: Sequence[FetchedPoint]) -> list[RawVector | msgspec.UnsetType]:
    rendered: list[RawVector | msgspec.UnsetType] = []
    if points and points[0].vectors is None:
        return [UNSET] * len(points)
    for start in range(0, len(points), BLOCK):
        rendered += _block(points[start : start + BLOCK])
    return rendered


def _block(points: Sequence[FetchedPoint]) -> list[RawVector | msgspec.UnsetType]:
    """Each point's vectors, as JSON: a number's text takes a third of what the number does as an object."""
    vectors = [vector for point in points for vector in (point.vectors or {}).values()]
    if not vectors:
        return [UNSET if point.vectors is None else _NO_VECTORS for point in points]
    arrays = [numbers_of(vector) for vector in vectors]
    ends = np.cumsum([len(array) for array in arrays])
    if ends[-1] > BLOCK_NUMBERS:
        if len(points) == 1:
            return [_spliced({name: long_json(vector) for name, vector in (points[0].vectors or {}).items()})]
        half = len(points) // 2
        return _block(points[:half]) + _block(points[half:])
    parts = iter(np.split(shortest_decimals(np.concatenate(arrays)), ends[:-1]))
    return [UNSET if point.vectors is None else _render(point.vectors, parts) for point in points]


def _render(vectors: dict[str, NDArray[Any]], numbers: Iterator[NDArray[np.float64]]) -> RawVector:
    named = {name: as_json(vector, next(numbers).tolist()) for name, vector in vectors.items()}
    return msgspec.Raw(_encode(named[UNNAMED] if named.keys() == {UNNAMED} else named))


def _spliced(texts: dict[str, bytes]) -> RawVector:
    if texts.keys() == {UNNAMED}:
        return msgspec.Raw(texts[UNNAMED])
    return msgspec.Raw(_encode({name: msgspec.Raw(text) for name, text in texts.items()}))
