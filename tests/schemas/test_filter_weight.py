"""How much there is to a filter."""

from typing import Any

import pytest

from schemas.filters import parse_filter
from schemas.filters.weight import Weight, weigh

RING = {"points": [{"lon": x, "lat": y} for x, y in [(0, 0), (0, 1), (1, 1), (0, 0)]]}
ANY = {"key": "a", "match": {"any": ["x", "y", "x"]}}
ID = {"has_id": [1, 2]}


@pytest.mark.parametrize(
    ("spec", "weight"),
    [
        ({}, Weight(0, 0, 0)),
        ({"must": [ANY], "must_not": [{"key": "a", "match": {"except": [1, 2, 3]}}]}, Weight(2, 5, 0)),
        ({"should": [ID, {"must": [ANY, ID]}]}, Weight(3, 6, 0)),
        ({"min_should": {"conditions": [ID, {"has_vector": "v"}], "min_count": 1}}, Weight(2, 2, 0)),
        ({"must": [{"nested": {"key": "n", "filter": {"must_not": [ANY]}}}]}, Weight(2, 2, 0)),
        ({"must": [{"key": "a", "range": {"gt": 1}, "is_empty": False}]}, Weight(2, 0, 0)),
        ({"must": [{"key": "a", "match": {"text": "four" * 10}}]}, Weight(1, 0, 10, 12)),
        ({"must": [{"key": "a", "match": {"phrase": "four" * 10}}]}, Weight(1, 0, 10, 12)),
        ({"must": [{"key": "a", "geo_polygon": {"exterior": RING, "interiors": [RING]}}]}, Weight(1, 0, 8)),
    ],
)
def test_every_condition_counts(spec: dict[str, Any], weight: Weight) -> None:
    assert weigh(parse_filter(spec)) == weight
