"""What a death costs: what died is gone through, and nothing is made of all slots anew."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.columns.slot_set import SlotSet
from projector.segments.graph import Graph
from projector.view.part import FEW_DEAD, alive, dead_rows, has_few_dead
from projector.view.segment_part import SegmentPart
from projector.view.shard_view import ShardView
from query_api.find.joint import JointSearch
from query_api.find.nearest import NearestSearch
from query_api.find.selection import Findable, passing
from query_api.find.strategy import EF_BY_SHARE
from query_api.plan.leaves import Nearest
from schemas.config import CollectionConfig, Distance, HnswConfig, VectorParams
from schemas.filters import Filter, parse_filter
from schemas.ids import PointId
from tests.query_api.shard_model import ShardModel

POINTS = 40 * FEW_DEAD
NAMES = {"all": VectorParams(2, Distance.DOT), "some": VectorParams(2, Distance.DOT)}
ANY = parse_filter({"must": [{"key": "n", "range": {"gte": 0}}]})


def model(points: Sequence[int], config: CollectionConfig | None = None) -> ShardModel:
    """A segment of points of which every third has the second name."""
    shard = ShardModel(config or CollectionConfig(vectors=NAMES))
    for i in points:
        vectors = {"all": [float(i), 1.0]}
        if i % 3 == 0:
            vectors["some"] = [1.0, float(i)]
        shard.upsert(PointId(i), vectors, {"n": i})
    shard.publish()
    shard.seal(merge=False, graph=False)
    return shard


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("filter", [None, ANY])
def test_no_mask_of_what_is_alive_is_made_where_little_is_dead(
    name: str, filter: Filter | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = model(range(POINTS))

    def refused(_: SegmentPart) -> None:
        raise AssertionError("a mask of all slots is made")

    monkeypatch.setattr(SegmentPart, "alive_mask", refused)
    vector = np.ones(2, np.float32).tobytes()
    for dead in (3, 4, 30):
        shard.delete(PointId(dead))
        shard.publish()
        part = shard.views[0].segments[0]
        vectors = part.vectors(name)
        assert vectors is not None
        died = {3, 30} if name == "some" else {3, 4, 30}
        found = Findable(part, vectors, filter)
        assert found.count == vectors.rows - len({d for d in died if d <= dead})
        NearestSearch(shard.views[0], Nearest(limit=3, filter=filter, vector=vector, using=name))


@given(dead=st.sets(st.integers(0, POINTS - 1), max_size=3 * POINTS // FEW_DEAD), seed=st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_going_through_the_dead_gives_what_the_mask_does(dead: set[int], seed: int) -> None:
    shard = model(range(POINTS))
    for point in dead:
        shard.delete(PointId(point))
    shard.publish()
    part = shard.views[0].segments[0]
    assert sorted(part.dead_slots().tolist()) == sorted(dead)
    assert has_few_dead(part) == (len(dead) * FEW_DEAD <= POINTS)
    rng = np.random.default_rng(seed)
    for share in (0.001, 0.5, 1.0):
        mask = rng.random(POINTS) < share
        slots = np.flatnonzero(mask)
        for some in (SlotSet.of_mask(mask), SlotSet.of(slots, POINTS)):
            left = alive(part, some)
            assert left.slots().tolist() == np.flatnonzero(mask & part.alive_mask()).tolist()
            assert len(left) == np.count_nonzero(mask & part.alive_mask())
    for name in NAMES:
        vectors = part.vectors(name)
        assert vectors is not None
        slots = np.arange(POINTS) if vectors.slots is None else vectors.slots
        assert dead_rows(part, vectors) == np.count_nonzero(~part.alive_mask()[slots])


def test_an_older_view_keeps_its_dead() -> None:
    shard = model(range(POINTS))
    shard.delete(PointId(1))
    shard.publish()
    older = shard.views[0].segments[0]
    for point in range(100, 200):
        shard.delete(PointId(point))
    shard.publish()
    assert older.dead_slots().tolist() == [1]
    assert shard.views[0].segments[0].dead_slots().tolist() == [1, *range(100, 200)]


def test_rows_of_a_name_that_pass_are_looked_up_once_in_a_view() -> None:
    part = model(range(POINTS)).views[0].segments[0]
    vectors = part.vectors("some")
    assert vectors is not None
    assert Findable(part, vectors, ANY).found() is Findable(part, vectors, ANY).found()
    assert passing(part, ANY).rows(part, None) is passing(part, ANY).found(part)


def efs_of(search: NearestSearch) -> list[int]:
    (joint,) = search.ahead
    assert isinstance(joint, JointSearch)
    return sorted(walked.plan.ef for walked in joint.division.walked)


def test_the_smaller_graph_of_two_is_not_searched_as_far() -> None:
    config = CollectionConfig(vectors=NAMES, hnsw=HnswConfig(ef_construct=20))
    shard = ShardModel(config)
    rng = np.random.default_rng(1)
    sizes = (6000, 1500)
    for size in sizes:
        first = int(size == sizes[1]) * sizes[0]
        for i in range(first, first + size):
            shard.upsert(PointId(i), {"all": rng.standard_normal(2).tolist()}, {})
        shard.publish()
        shard.seal(merge=False, graph=True)
    view: ShardView = shard.views[0]
    graphs = [part.graph("all") for part in view.segments]
    assert all(isinstance(graph, Graph) for graph in graphs)
    efs = efs_of(NearestSearch(view, Nearest(limit=3, vector=np.ones(2, np.float32).tobytes(), using="all")))
    assert efs == sorted(int(np.ceil(20 * (size / sum(sizes)) ** EF_BY_SHARE)) for size in sizes)
    alone = NearestSearch(view, Nearest(limit=20, vector=np.ones(2, np.float32).tobytes(), using="all"))
    assert min(efs_of(alone)) == 20
