"""Stored points in one run of bytes: the same as a list of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.slices import SLICE_POINTS
from projector.view.stored_points import RUN_BYTES, StoredPoints

Batches = list[list[bytes]]


def sized(length: int) -> bytes:
    """Bytes that differ from those of other lengths, and from each other."""
    return bytes((at * 31 + length) % 251 for at in range(length))


points = st.sampled_from([0, 1, 9, 400, RUN_BYTES - 1, RUN_BYTES, RUN_BYTES + 1]).map(sized)
batches = st.lists(st.lists(points, max_size=5), max_size=8)


def held(some: Batches) -> tuple[StoredPoints, list[bytes]]:
    """What is tested, and what it is to hold."""
    stored = StoredPoints()
    for batch in some:
        stored.extend(batch)
    return stored, [point for batch in some for point in batch]


@given(batches)
def test_each_is_found_where_it_was_put(some: Batches) -> None:
    stored, right = held(some)
    assert len(stored) == len(right)
    assert [stored[row] for row in range(len(right))] == right
    assert stored[1:3] == right[1:3]
    assert stored.size_of(0, len(right)) == sum(map(len, right))
    with pytest.raises(IndexError):
        stored[len(right)]


@given(batches, st.data())
def test_some_of_them_joined_are_those(some: Batches, data: st.DataObject) -> None:
    stored, right = held(some)
    chosen = [row for row in range(len(right)) if data.draw(st.booleans())]
    rows: list[int] = []
    found: list[bytes] = []
    for joined in stored.joined(np.array(chosen, np.int64)):
        rows += joined.rows.tolist()
        ends = np.cumsum(joined.lengths).tolist()
        assert len(joined.data) == ends[-1]
        found += [joined.data[end - length : end] for end, length in zip(ends, joined.lengths.tolist(), strict=True)]
    assert rows == chosen
    assert found == [right[row] for row in chosen]


@given(batches, batches, st.data())
def test_some_go_on_in_another_one(some: Batches, more: Batches, data: st.DataObject) -> None:
    stored, right = held(some)
    chosen = [row for row in range(len(right)) if data.draw(st.booleans())]
    other = StoredPoints()
    other.extend_from(stored, np.array(chosen, np.int64))
    expected = [right[row] for row in chosen]
    for batch in more:
        other.extend(batch)
        expected += batch
    assert other[:] == expected
    assert stored[:] == right


def test_many_come_in_slices() -> None:
    stored, right = held([[sized(at % 7) for at in range(2 * SLICE_POINTS + 1)]])
    joined = list(stored.joined(np.arange(len(right))))
    assert [len(each.rows) for each in joined] == [SLICE_POINTS, SLICE_POINTS, 1]
    assert b"".join(each.data for each in joined) == b"".join(right)
