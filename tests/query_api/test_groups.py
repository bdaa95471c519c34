"""Groups are those of the whole ranking, however points are spread."""

from hypothesis import given
from hypothesis import strategies as st

from query_api.combine.groups import grouped
from query_api.combine.shards import Shards
from query_api.plan.leaves import Scroll
from query_api.plan.selection import NOTHING
from query_api.plan.tree import GroupPlan
from schemas.filters import Filter
from schemas.ids import PointId
from schemas.json_path import elements_at, parse_path
from tests.query_api.engine import read
from tests.query_api.shard_model import ShardModel
from tests.query_api.strategies import collections, filters


@given(
    model=collections(),
    key=st.sampled_from(["tag", "list", "list[].k", "n", "nothing"]),
    filter=filters,
    groups=st.integers(1, 4),
    size=st.integers(1, 3),
)
def test_groups(model: ShardModel, key: str, filter: Filter | None, groups: int, size: int) -> None:
    by = parse_path(key)
    expected: dict[str | int, list[PointId]] = {}
    for point in sorted(model.matching(filter), key=lambda point: point.id):
        values = {v for v in elements_at(point.payload, by) if isinstance(v, str | int) and not isinstance(v, bool)}
        for value in values:
            expected.setdefault(value, []).append(point.id)
    plan = GroupPlan(Scroll(limit=groups * size, filter=filter), by, groups, size, NOTHING)

    async def ask(shards: Shards) -> list[tuple[str | int, list[PointId]]]:
        return [(group.key, [hit.id for hit in group.hits]) for group in await grouped(shards, plan)]

    found = read(model.views, ask)
    # Which of several groups with the same best point come first is not said.
    firsts = sorted(ids[0] for ids in expected.values())[:groups]
    assert [ids[0] for _, ids in found] == firsts
    assert all(expected[value][:size] == ids for value, ids in found)
