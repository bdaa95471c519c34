"""Vectors out of many stored points at once.

Points of one batch nearly always hold the same vectors, so their headers agree and each vector lies at the same place
in every point, from where the kernel takes it. Points that differ are decoded one by one.
"""

from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.kernel import row_of_each
from projector.vectors.kind import Stored
from schemas.points import VERSION_BYTES, decode_point

_VECTOR = Struct("<BI")
_COUNT_AT = VERSION_BYTES
_TABLE_AT = VERSION_BYTES + 1


class Unpacked(NamedTuple):
    """One vector name's values in a batch; ``rows``: which points, None for all.

    ``alike``: whether all points have the same vectors, each of as many bytes in every point.
    """

    stored: Stored
    rows: NDArray[np.int64] | None
    alike: bool = False


def unpack_vectors(points: Sequence[bytes]) -> dict[int, Unpacked]:
    """The vectors of stored points by position of their name, where they are alike in the points' order."""
    if not points:
        return {}
    unpacked = _unpack_alike(list(points))
    return _unpack_each(points) if unpacked is None else unpacked


def _unpack_alike(points: list[bytes]) -> dict[int, Unpacked] | None:
    """The same if all points have the vectors of the first one, in as many bytes; else None."""
    first = points[0]
    if not first[_COUNT_AT] and any(point[_COUNT_AT] for point in points):
        return None
    unpacked: dict[int, Unpacked] = {}
    at = _TABLE_AT
    for index in range(first[_COUNT_AT]):
        position, length = _VECTOR.unpack_from(first, at)
        # The number of vectors lies right before the first one's header: both are compared at once.
        head_at = at if index else _COUNT_AT
        start = at + _VECTOR.size
        data = row_of_each(points, first[head_at:start], head_at, length)
        if data is None:
            return None
        unpacked[position] = Unpacked(Stored(data, [length] * len(points)), None, alike=True)
        at = start + length
    return unpacked


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
