"""Columns say of every filter what the reference evaluator says, or that they do not know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pytest
import xxhash
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.columns.columns import Columns
from projector.columns.select import select
from schemas.filters import parse_filter
from schemas.ids import PointId
from schemas.matching import bind, matches
from schemas.payload_index import PayloadIndex, PayloadIndexes, TextIndex, UuidIndex
from tests.projector.columns.strategies import filters, payloads


@dataclass
class _Vectors:
    slots: NDArray[np.uint32] | None


@dataclass
class _Point:
    id: PointId
    payload: dict[str, Any]
    vector_names: set[str]


class _Segment:
    """Slot i has the id i; every even slot has the vector "some"."""

    def __init__(self, bodies: Sequence[dict[str, Any]]) -> None:
        self.size = len(bodies)
        self.columns = Columns.build([msgspec.json.encode(body) if body else b"" for body in bodies])
        self.points = [
            _Point(PointId(i), body, {"every"} if i % 2 else {"every", "some"}) for i, body in enumerate(bodies)
        ]

    def having_id(self, ids: frozenset[PointId]) -> NDArray[np.integer]:
        return np.array([i for i in ids if i < self.size], np.int64)

    def vectors(self, name: str) -> _Vectors | None:
        some = np.arange(0, self.size, 2, dtype=np.uint32)
        return {"every": _Vectors(None), "some": _Vectors(some)}.get(name)


DECLARED = {
    "nothing": {},
    "text": {key: PayloadIndex(TextIndex(phrase_matching=True)) for key in ("a", "b", "a.b", "a[].b", "b[].a")},
    "uuid": {key: PayloadIndex(UuidIndex()) for key in ("a", "b", "a.b", "a[].b", "b[].a")},
}


@pytest.mark.parametrize("indexes", DECLARED.values(), ids=DECLARED)
@given(st.lists(payloads, max_size=6), st.sampled_from([0, 0, 300]), st.lists(filters, min_size=1, max_size=4))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_columns_agree_with_the_reference_evaluator(
    indexes: PayloadIndexes, bodies: list[dict[str, Any]], empty: int, objects: list[dict[str, Any]]
) -> None:
    """With many empty payloads sets of slots are lists, else they are bitmaps."""
    segment = _Segment([*bodies, *({} for _ in range(empty))])
    for obj in objects:
        parsed = bind(parse_filter(obj), indexes)
        expected = [matches(parsed, point) for point in segment.points]
        selection = select(parsed, segment)
        assert not (selection.sure & ~np.array(expected, np.bool_)).any()
        assert not (np.array(expected, np.bool_) & ~selection.possible).any()
        resolved = selection.resolve(lambda slot, f=parsed: matches(f, segment.points[slot]))
        assert resolved.tolist() == expected


def test_a_long_list_is_not_looked_up_value_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = [{"k": f"s{i}", "n": i} for i in range(100)]
    segment = _Segment(bodies)
    digests: list[bytes] = []

    def digest(data: bytes) -> int:
        digests.append(data)
        return 0

    monkeypatch.setattr(xxhash, "xxh3_64_intdigest", digest)
    few, many = range(90, 95), range(90, 1000)
    for kind, expected in [("any", 5), ("except", 95)]:
        assert _selected(segment, {"key": "n", "match": {kind: list(few)}}) == expected
    for kind, expected in [("any", 10), ("except", 90)]:
        assert _selected(segment, {"key": "n", "match": {kind: list(many)}}) == expected
        assert _selected(segment, {"key": "k", "match": {kind: [f"s{i}" for i in many]}}) == expected
    assert digests == []


def _selected(segment: _Segment, condition: dict[str, Any]) -> int:
    selection = select(parse_filter({"must": [condition]}), segment)
    assert selection.exact
    return int(np.count_nonzero(selection.sure))
