"""Slices are everything, in order, and bounded in points and in bytes."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from projector.slices import SLICE_BYTES, read_slices, slices
from schemas.ids import PointId

MOST = 5
sizes = st.lists(st.sampled_from([0, 1, SLICE_BYTES // 3, SLICE_BYTES, 2 * SLICE_BYTES]), max_size=30)


@given(sizes)
def test_slices(lengths: list[int]) -> None:
    found = [lengths[some] for some in slices(lengths, MOST)]
    assert [length for some in found for length in some] == lengths
    assert all(0 < len(some) <= MOST and sum(some[:-1]) < SLICE_BYTES for some in found)


@given(sizes)
def test_no_more_is_read_than_a_slice_has(lengths: list[int]) -> None:
    stored = {size: bytes(size) for size in set(lengths)}
    asked: list[PointId] = []

    def read(ids: Sequence[PointId]) -> list[bytes | None]:
        asked.extend(ids)
        return [stored[lengths[i]] if i % 7 else None for i in ids]

    ids = [PointId(i) for i in range(len(lengths))]
    seen: list[PointId] = []
    for some, points in read_slices(ids, read, MOST):
        seen += some
        assert asked == seen
        assert [len(point) if point is not None else -1 for point in points] == [
            lengths[i] if i % 7 else -1 for i in some
        ]
        assert 0 < len(some) <= MOST
        assert sum(len(point or b"") for point in points[:-1]) < SLICE_BYTES
    assert seen == ids
