"""Counts of values, however points are spread."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from query_api.plan.facet import Facet
from schemas.filters import Filter
from schemas.json_path import elements_at, parse_path
from tests.query_api.engine import read
from tests.query_api.shard_model import ShardModel
from tests.query_api.strategies import collections, filters

TYPES: dict[str, type] = {"keyword": str, "integer": int}


@given(
    model=collections(),
    key=st.sampled_from(["n", "tag", "list", "list[]", "list[].k", "list[0]", "nothing"]),
    data_type=st.sampled_from(["keyword", "integer", "uuid", "bool"]),
    filter=filters,
)
def test_counts(model: ShardModel, key: str, data_type: Any, filter: Filter | None) -> None:
    facet = Facet(by=parse_path(key), data_type=data_type, filter=filter)
    expected: Counter[Any] = Counter()
    for point in model.matching(filter):
        elements = elements_at(point.payload, facet.by)
        expected.update({value for value in elements if data_type in TYPES and isinstance(value, TYPES[data_type])})
    assert read(model.views, lambda shards: shards.facet(facet)) == expected
