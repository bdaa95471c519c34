"""Points in the order of a payload key, however they are spread."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api.combine.shards import Shards
from query_api.find import ordered
from query_api.plan.leaves import Ordered
from query_api.plan.selection import NOTHING
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.filters import Filter
from schemas.ids import PointId
from schemas.json_path import elements_at, parse_path
from tests.query_api.engine import read
from tests.query_api.shard_model import ShardModel
from tests.query_api.strategies import collections, filters

TYPES: dict[str, tuple[type, ...]] = {"integer": (int,), "float": (int, float)}


@pytest.fixture(autouse=True, scope="module")
def few_at_a_time() -> Iterator[None]:
    """So that a part's values are looked at in several steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordered, "_LEAST_WINDOW", 1)
        patch.setattr(ordered, "_WIDER", 2)
        yield


@given(
    model=collections(),
    key=st.sampled_from(["n", "list", "list[]", "list[].k", "list[0]", "nothing"]),
    data_type=st.sampled_from(["integer", "float"]),
    filter=filters,
    limit=st.integers(1, 8),
    descending=st.booleans(),
    start_from=st.none() | st.integers(0, 5) | st.sampled_from([0.5, 2.25]),
)
def test_order(
    model: ShardModel,
    key: str,
    data_type: Any,
    filter: Filter | None,
    limit: int,
    descending: bool,
    start_from: float | None,
) -> None:
    leaf = Ordered(
        limit=limit,
        filter=filter,
        by=parse_path(key),
        data_type=data_type,
        descending=descending,
        start_from=start_from,
    )
    sign = -1 if descending else 1
    found = {
        (sign * value, point.id)
        for point in model.matching(filter)
        for value in elements_at(point.payload, leaf.by)
        if isinstance(value, TYPES[data_type])
        if start_from is None or sign * value >= sign * start_from
    }

    async def ask(shards: Shards) -> list[tuple[float, PointId]]:
        hits = await shards.find(leaf)
        assert [point.id for point in await shards.fetch(hits, NOTHING)] == [hit.id for hit in hits]
        return [(sign * (hit.value or 0), hit.id) for hit in hits]

    assert read(model.views, ask) == sorted(found)[:limit]


def test_large_integers_keep_their_order() -> None:
    model = ShardModel(CollectionConfig(vectors={"a": VectorParams(1, Distance.DOT)}))
    large = (1 << 53) + 1
    for at, value in enumerate([large + 1, large, large - 1]):
        model.upsert(PointId(at), {"a": [0.0]}, {"n": value})
    model.publish()
    leaf = Ordered(limit=9, by=parse_path("n"), data_type="integer", start_from=large)
    for sealed in (False, True):
        if sealed:
            model.seal(merge=False, graph=False)
        assert [hit.value for hit in read(model.views, lambda shards: shards.find(leaf))] == [large, large + 1]
