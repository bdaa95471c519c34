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
from schemas.payload_index import GeoIndex, IntegerIndex, PayloadIndex, PayloadIndexes, TextIndex, UuidIndex
from tests.projector.columns.strategies import filters, payloads
from tests.support.examples import tries


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

    def __init__(self, bodies: Sequence[dict[str, Any]], indexes: PayloadIndexes | None = None) -> None:
        self.size = len(bodies)
        self.columns = Columns.build([msgspec.json.encode(body) if body else b"" for body in bodies], indexes)
        self.points = [
            _Point(PointId(i), body, {"every"} if i % 2 else {"every", "some"}) for i, body in enumerate(bodies)
        ]

    def having_id(self, ids: frozenset[PointId]) -> NDArray[np.integer]:
        return np.array([i for i in ids if i < self.size], np.int64)

    def vectors(self, name: str) -> _Vectors | None:
        some = np.arange(0, self.size, 2, dtype=np.uint32)
        return {"every": _Vectors(None), "some": _Vectors(some)}.get(name)


UUID = "550e8400-e29b-41d4-a716-446655440000"
BOX = {"top_left": {"lon": 0.05, "lat": 1.0}, "bottom_right": {"lon": 0.95, "lat": 0.0}}
TRIANGLE = {
    "points": [{"lon": -1.0, "lat": 0.0}, {"lon": 0.5, "lat": 0.0}, {"lon": 0.4, "lat": 0.3}, {"lon": -1.0, "lat": 0.0}]
}
_KEYS = ("a", "b", "a.b", "a[].b", "b[].a")
_TYPES = {"text": TextIndex(phrase_matching=True), "uuid": UuidIndex(), "geo": GeoIndex(), "integer": IntegerIndex()}
DECLARED: dict[str, PayloadIndexes] = {
    "nothing": {},
    **{name: {key: PayloadIndex(params) for key in _KEYS} for name, params in _TYPES.items()},
}


@pytest.mark.parametrize("indexes", DECLARED.values(), ids=DECLARED)
@given(
    st.lists(payloads, max_size=6),
    st.sampled_from([0, 0, 300]),
    st.booleans(),
    st.lists(filters, min_size=1, max_size=4),
)
@settings(max_examples=tries(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_columns_agree_with_the_reference_evaluator(
    indexes: PayloadIndexes, bodies: list[dict[str, Any]], empty: int, built: bool, objects: list[dict[str, Any]]
) -> None:
    """With many empty payloads sets of slots are lists, else they are bitmaps; what is declared may be so since."""
    segment = _Segment([*bodies, *({} for _ in range(empty))], indexes if built else None)
    for obj in objects:
        parsed = bind(parse_filter(obj), indexes)
        expected = [matches(parsed, point) for point in segment.points]
        selection = select(parsed, segment)
        assert not (selection.sure.mask() & ~np.array(expected, np.bool_)).any()
        assert not (np.array(expected, np.bool_) & ~selection.possible.mask()).any()
        resolved = selection.resolve(lambda slot, f=parsed: matches(f, segment.points[slot]), lambda slots: slots)
        assert resolved.mask().tolist() == expected


@pytest.mark.parametrize("empty", [0, 2000], ids=["many", "few"])
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"key": "at", "range": {"lt": "2020-01-03"}}, 2),
        ({"key": "place", "geo_radius": {"center": {"lon": 0.0, "lat": 0.0}, "radius": 130_000.0}}, 12),
        ({"key": "place", "geo_bounding_box": BOX}, 9),
        ({"key": "place", "geo_polygon": {"exterior": TRIANGLE}}, 5),
        ({"key": "title", "match": {"text": "Fox 7"}}, 1),
        ({"key": "title", "match": {"text_any": "7 8"}}, 2),
        ({"key": "uid", "match": {"value": f"urn:uuid:{UUID.upper()}"}}, 30),
        ({"key": "uid", "match": {"any": [UUID.replace("-", "").upper(), "none"]}}, 30),
        ({"key": "tags", "values_count": {"gt": 2}}, 27),
        ({"key": "n", "match": {"except": [1, 2]}}, 28),
        ({"key": "kind", "match": {"text": "o"}}, 15),
        ({"key": "kind", "match": {"prefix": "w"}}, 15),
    ],
)
def test_what_columns_decide(condition: dict[str, Any], expected: int, empty: int) -> None:
    bodies = [
        {
            "at": f"2020-01-{i + 1:02}",
            "place": {"lon": i * 0.1, "lat": 0.1},
            "title": f"the fox {i}",
            "uid": UUID if i % 2 else UUID.replace("-", "").upper(),
            "tags": ["a"] * i,
            "n": i,
            "kind": "two" if i % 2 else "wet",
        }
        for i in range(30)
    ]
    indexes = {"place": GeoIndex(), "title": TextIndex(), "uid": UuidIndex()}
    declared = {key: PayloadIndex(params) for key, params in indexes.items()}
    segment = _Segment([*bodies, *({} for _ in range(empty))], declared)
    parsed = bind(parse_filter({"must": [condition]}), declared)
    selection = select(parsed, segment)
    assert selection.exact
    assert len(selection.sure) == expected
    assert selection.sure.slots().tolist() == [i for i, p in enumerate(segment.points) if matches(parsed, p)]


TWO_FOR_ONE: list[list[dict[str, Any]]] = [
    [{"a": [{"b": [1]}, {"b": [2]}]}, {}],
    [{"a": [{"b": [1]}, {"b": []}, {"b": [2]}]}, {}, {"z": 1}],
]
"""There are as many arrays at ``a[].b`` as slots."""


@pytest.mark.parametrize("bodies", TWO_FOR_ONE)
@pytest.mark.parametrize("bounds", [{"gte": 1}, {"lt": 1}, {"gte": 0}, {"gt": 1}])
def test_as_many_arrays_as_slots_are_not_one_in_each(bodies: list[dict[str, Any]], bounds: dict[str, int]) -> None:
    segment = _Segment(bodies, {})
    parsed = parse_filter({"must": [{"key": "a[].b", "values_count": bounds}]})
    selection = select(parsed, segment)
    found = selection.resolve(lambda slot: matches(parsed, segment.points[slot]), lambda slots: slots)
    assert found.mask().tolist() == [matches(parsed, point) for point in segment.points]


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
    return len(selection.sure)
