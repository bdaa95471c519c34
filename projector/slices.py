"""Points in slices, of few points and few bytes: what works on all of a slice holds up the others that long."""

from collections.abc import Callable, Iterator, Sequence

from schemas.ids import PointId

SLICE_POINTS = 1000
SLICE_BYTES = 4 << 20
"""A slice ends with the point with which it has so many."""

Read = Callable[[Sequence[PointId]], Sequence[bytes | None]]
"""Stored points by id; None where there is none."""


def slices(sizes: Sequence[int], points: int = SLICE_POINTS) -> Iterator[slice]:
    """Where slices of points of ``sizes``, in bytes, begin and end."""
    start = size = 0
    for at, length in enumerate(sizes):
        size += length
        if at + 1 - start == points or size >= SLICE_BYTES:
            yield slice(start, at + 1)
            start, size = at + 1, 0
    if start < len(sizes):
        yield slice(start, len(sizes))


def read_slices(
    ids: Sequence[PointId], read: Read, points: int = SLICE_POINTS
) -> Iterator[tuple[list[PointId], list[bytes | None]]]:
    """The points with ``ids``, in order, as slices of ids and of what ``read`` gives, which is asked for one at a time:
    how large they are is known only then.
    """
    some: list[PointId] = []
    found: list[bytes | None] = []
    size = 0
    for point_id in ids:
        (point,) = read([point_id])
        some.append(point_id)
        found.append(point)
        size += len(point or b"")
        if len(some) == points or size >= SLICE_BYTES:
            yield some, found
            some, found, size = [], [], 0
    if some:
        yield some, found
