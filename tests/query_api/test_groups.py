"""Groups are those of the whole ranking, however points are spread."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from query_api.combine.groups import grouped
from query_api.combine.shards import Shards
from query_api.plan.leaves import Scroll
from query_api.plan.selection import NOTHING
from query_api.plan.tree import GroupPlan
from query_api.points import Value
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.filters import Filter
from schemas.ids import PointId
from schemas.json_path import Path, elements_at, parse_path
from tests.query_api.engine import NearestQuery, read
from tests.query_api.shard_model import ShardModel
from tests.query_api.strategies import collections, filters


def groups_of(payload: Mapping[str, Any], by: Path) -> list[Value]:
    """What a point is grouped by, in the order of its payload."""
    elements = elements_at(payload, by)
    return list(dict.fromkeys(e for e in elements if isinstance(e, str | int) and not isinstance(e, bool)))


def asked(model: ShardModel, plan: GroupPlan) -> list[tuple[Value, list[PointId]]]:
    async def ask(shards: Shards) -> list[tuple[Value, list[PointId]]]:
        return [(group.key, [hit.id for hit in group.hits]) for group in await grouped(shards, plan)]

    return read(model.views, ask)


@given(
    model=collections(),
    key=st.sampled_from(["tag", "list", "list[].k", "n", "nothing"]),
    filter=filters,
    groups=st.integers(1, 4),
    size=st.integers(1, 3),
    limit=st.integers(1, 12),
)
def test_groups(model: ShardModel, key: str, filter: Filter | None, groups: int, size: int, limit: int) -> None:
    by = parse_path(key)
    expected: dict[str | int, list[PointId]] = {}
    for point in sorted(model.matching(filter), key=lambda point: point.id):
        for value in set(groups_of(point.payload, by)):
            expected.setdefault(value, []).append(point.id)
    plan = GroupPlan(Scroll(limit=limit, filter=filter), by, groups, size, NOTHING)
    found = asked(model, plan)
    # Which of several groups with the same best point come first is not said.
    firsts = sorted(ids[0] for ids in expected.values())[:groups]
    assert [ids[0] for _, ids in found] == firsts
    assert all(expected[value][:size] == ids for value, ids in found)


VALUES: dict[str, list[Any]] = {
    "integers": [*range(9)],
    "strings": ["a", "b", "é", "a b", "", "c", "d"],
    "both, and what is no group": [1, 2, "1", "x", True, None, 2.0, 1.5, {"a": 1}, 2**60],
    "several": [[1, 2], ["x", "y"], [3, "x"], [], 1, "y", [[4]], [2, 2]],
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("shards", [1, 3])
def test_groups_are_filled_from_segments_and_tail(name: str, shards: int) -> None:
    random = np.random.default_rng(3)
    model = ShardModel(CollectionConfig(vectors={"a": VectorParams(2, Distance.DOT)}), shards)
    for number in range(400):
        value = VALUES[name][random.integers(0, len(VALUES[name]))]
        model.upsert(PointId(number), {"a": random.normal(size=2).tolist()}, {"group": value} if number % 7 else {})
        if number == 300:
            model.publish()
            model.seal(merge=False, graph=False)
    for number in range(0, 400, 11):
        model.delete(PointId(number))
    model.publish()
    query = NearestQuery(np.array([1, 0.5], np.float32), "a", 400, exact=True)
    by, expected = parse_path("group"), dict[Value, list[PointId]]()
    for point_id, _ in model.nearest(query):
        for value in groups_of(model.points[point_id].payload, by):
            expected.setdefault(value, []).append(point_id)
    for groups, size in ((2, 1), (4, 5), (20, 20)):
        plan = GroupPlan(replace(query.leaf, limit=groups * size), by, groups, size, NOTHING)
        first = [(value, ids[:size]) for value, ids in expected.items()][:groups]
        assert asked(model, plan) == first


def test_a_point_of_several_groups_takes_no_place_of_what_was_not_asked_for_yet() -> None:
    model = ShardModel(CollectionConfig(vectors={"a": VectorParams(2, Distance.DOT)}))
    for number, values in ((0, [2]), (6, [2]), (7, [1, 2])):
        model.upsert(PointId(number), {}, {"group": values})
    model.publish()
    plan = GroupPlan(Scroll(limit=1), parse_path("group"), 2, 2, NOTHING)
    assert asked(model, plan) == [(2, [PointId(0), PointId(6)]), (1, [PointId(7)])]
