"""Stored points in one run of bytes, with their vectors or without: the same as a list of them."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.slices import SLICE_POINTS
from projector.vectors.dense import DenseVectors
from projector.vectors.kind import Vectors
from projector.view.stored_points import LeftOut, StoredPoints
from schemas.points import decode_point, encode_point
from tests.projector.view.memory_segment import each_of

WIDTHS = {0: 2, 3: 1}
"""How many values the vectors at each position have, float32."""
ALL: LeftOut = tuple((position, width * 4) for position, width in WIDTHS.items())
FIRST = ALL[:1]

Layout = tuple[LeftOut, bool]
"""Which vectors points have, and whether these are left out."""
Batches = list[tuple[Layout, list[bytes]]]
"""Payloads."""

layouts = st.sampled_from([(ALL, True), (FIRST, True), (ALL, False), ((), False)])
payloads = st.lists(st.sampled_from([b"", b"{}", b'{"a":1}', b"x" * 5000]), max_size=5)
batches = st.lists(st.tuples(layouts, payloads), max_size=8)


class Held:
    """What is tested, what it is to hold, and the vectors, which are kept elsewhere."""

    def __init__(self, some: Batches) -> None:
        self.stored = StoredPoints()
        self.right: list[bytes] = []
        self._values: dict[int, list[NDArray[np.float32]]] = {position: [] for position in WIDTHS}
        self._slots: dict[int, list[int]] = {position: [] for position in WIDTHS}
        for layout, payloads in some:
            self.extend(layout, payloads)

    def extend(self, layout: Layout, payloads: Sequence[bytes]) -> None:
        """Points with these payloads; their vectors and versions are others for each."""
        vectors, left_out = layout
        points: list[bytes] = []
        for payload in payloads:
            row = len(self.right) + len(points)
            values = [(at, np.arange(WIDTHS[at], dtype=np.float32) + 10 * row + at) for at, _ in vectors]
            for position, value in values:
                self._values[position].append(value)
                self._slots[position].append(row)
            points.append(encode_point(row + 7, [(position, value.tobytes()) for position, value in values], payload))
        self.stored.extend(points, vectors if left_out else ())
        self.right += points

    def vectors(self) -> dict[int, Vectors]:
        """By position; where each row has one without slots."""
        found: dict[int, Vectors] = {}
        for position, values in self._values.items():
            slots = self._slots[position]
            if slots:
                everywhere = len(slots) == len(self.right)
                found[position] = DenseVectors(np.stack(values), None if everywhere else np.array(slots, np.uint32))
        return found

    def kept(self, rows: list[int]) -> "Held":
        """As StoredPoints.keep."""
        some = Held([])
        some.stored = self.stored.keep(np.array(rows, np.int64))
        some.right = [self.right[row] for row in rows]
        for position, slots in self._slots.items():
            for slot, value in zip(slots, self._values[position], strict=True):
                if slot in rows:
                    some._slots[position].append(rows.index(slot))
                    some._values[position].append(value)
        return some

    def found(self, rows: list[int]) -> list[bytes]:
        """Rows, joined and taken apart again."""
        found: list[bytes] = []
        slots: list[int] = []
        for points in self.stored.joined(np.array(rows, np.int64), self.vectors()):
            slots += points.rows.tolist()
            assert points.lengths.sum() == len(points.data)
            found += each_of(points)
        assert slots == rows
        return found


@given(batches)
def test_each_has_its_version_payload_and_size(some: Batches) -> None:
    held = Held(some)
    stored, right = held.stored, held.right
    assert len(stored) == len(right)
    for row, point in enumerate(map(decode_point, right)):
        assert stored.version(row) == point.version
        assert stored.payload(row) == point.payload
        assert stored.size_of(row, row + 1) == len(right[row])
    assert stored.size_of(0, len(right)) == sum(map(len, right))
    with pytest.raises(IndexError):
        stored.payload(len(right))


@given(batches, st.data())
def test_some_of_them_joined_are_those(some: Batches, data: st.DataObject) -> None:
    held = Held(some)
    chosen = [row for row in range(len(held.right)) if data.draw(st.booleans())]
    assert held.found(chosen) == [held.right[row] for row in chosen]


@given(batches, batches, st.data())
def test_some_go_on_in_another_one(some: Batches, more: Batches, data: st.DataObject) -> None:
    held = Held(some)
    before = list(held.right)
    other = held.kept([row for row in range(len(before)) if data.draw(st.booleans())])
    for layout, payloads in more:
        other.extend(layout, payloads)
    assert other.found(list(range(len(other.right)))) == other.right
    assert held.found(list(range(len(before)))) == before


@given(batches)
def test_vectors_of_a_name_that_is_gone_are_missing_then(some: Batches) -> None:
    held = Held(some)
    vectors = held.vectors()
    vectors.pop(3, None)
    rows = np.arange(len(held.right))
    for points in held.stored.joined(rows, vectors):
        slots: list[int] = points.rows.tolist()
        for row, found in zip(slots, map(decode_point, each_of(points)), strict=True):
            right = decode_point(held.right[row])
            assert (found.version, found.payload) == (right.version, right.payload)
            assert found.vectors == right.vectors or found.vectors == {0: right.vectors[0]}


def test_what_is_kept_elsewhere_is_not_kept_here() -> None:
    held = Held([((ALL, True), [b"{}"] * 3)])
    assert held.stored.kept_bytes == 3 * (8 + 2)


def test_many_come_in_slices() -> None:
    held = Held([((FIRST, True), [b"x" * (at % 7) for at in range(2 * SLICE_POINTS + 1)])])
    joined = list(held.stored.joined(np.arange(len(held.right)), held.vectors()))
    assert [len(each.rows) for each in joined] == [SLICE_POINTS, SLICE_POINTS, 1]
    assert b"".join(each.data for each in joined) == b"".join(held.right)
