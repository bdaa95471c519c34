"""Vectors out of many stored points at once.

Points of one batch nearly always hold the same vectors, so their headers agree and each vector lies at the same place
in every point: one slice per point and one join give a matrix. Points that differ are decoded one by one.
"""

from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.vectors.kind import Stored
from schemas.points import VERSION_BYTES, decode_point

_VECTOR = Struct("<BI")
_COUNT_AT = VERSION_BYTES
_TABLE_AT = VERSION_BYTES + 1


class Unpacked(NamedTuple):
    """One vector name's values in a batch; ``rows``: which points, None for all."""

    stored: Stored
    rows: NDArray[np.int64] | None


def unpack_vectors(points: Sequence[bytes]) -> dict[int, Unpacked]:
    """The vectors of stored points by position of their name."""
    if not points:
        return {}
    places = _uniform_places(points)
    if places is None:
        return _unpack_each(points)
    unpacked: dict[int, Unpacked] = {}
    for position, start, end in places:
        data = b"".join([point[start:end] for point in points])
        unpacked[position] = Unpacked(Stored(data, [end - start] * len(points)), None)
    return unpacked


def _uniform_places(points: Sequence[bytes]) -> list[tuple[int, int, int]] | None:
    """(position, start, end) of the first point's vectors if they are the same in all points, else None."""
    first = points[0]
    places: list[tuple[int, int, int]] = []
    at = _TABLE_AT
    for index in range(first[_COUNT_AT]):
        position, length = _VECTOR.unpack_from(first, at)
        start = at + _VECTOR.size
        # The number of vectors lies right before the first one's header: both are compared at once.
        head_at = at if index else _COUNT_AT
        if len(points) > 1 and b"".join([point[head_at:start] for point in points]) != first[head_at:start] * len(
            points
        ):
            return None
        at = start + length
        places.append((position, start, at))
    if not places and any(point[_COUNT_AT] for point in points):
        return None
    return places


def _unpack_each(points: Sequence[bytes]) -> dict[int, Unpacked]:
    found: dict[int, tuple[list[int], list[bytes]]] = {}
    for row, point in enumerate(points):
        for position, data in decode_point(point).vectors.items():
            rows, pieces = found.setdefault(position, ([], []))
            rows.append(row)
            pieces.append(data)
    unpacked: dict[int, Unpacked] = {}
    for position, (rows, pieces) in found.items():
        stored = Stored(b"".join(pieces), [len(piece) for piece in pieces])
        everywhere = len(rows) == len(points)
        unpacked[position] = Unpacked(stored, None if everywhere else np.array(rows, np.int64))
    return unpacked
