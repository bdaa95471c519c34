"""Search through graphs: recall, and that dead points, filters and vectors of few points do not spoil it."""

from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from projector.frames import ShardId
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from query_api.find.selection import Findable
from query_api.find.strategy import walk_for
from query_api.plan.selection import Selection
from schemas.config import CollectionConfig, Distance, HnswConfig, OptimizersConfig, VectorParams
from schemas.filters import Filter, parse_filter
from schemas.ids import PointId
from schemas.points import encode_point
from tests.projector.view.memory_segment import MemorySegment, nobody_dead
from tests.query_api.engine import NearestQuery, is_costly, search

DIM = 12
POINTS = 6000
QUERIES = 20
WANTED = 10
GRAPH_DISTANCES = [Distance.COSINE, Distance.DOT, Distance.EUCLID]
PLAIN = Selection(with_payload=False)
Matrix = NDArray[np.float32]


@cache
def clustered() -> Matrix:
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(40, DIM))
    return (centres[rng.integers(0, 40, POINTS)] + rng.normal(size=(POINTS, DIM)) * 0.3).astype(np.float32)


def queries() -> Matrix:
    rng = np.random.default_rng(6)
    chosen = rng.choice(POINTS, QUERIES, replace=False)
    return (clustered()[chosen] + rng.normal(size=(QUERIES, DIM)) * 0.1).astype(np.float32)


@cache
def segment(distance: Distance, every: int = 1) -> tuple[CollectionConfig, MemorySegment]:
    """Points 0, 1, 2, ...; one in ``every`` has a vector."""
    params = VectorParams(DIM, distance)
    config = CollectionConfig(vectors={"": params}, hnsw=HnswConfig(m=16, ef_construct=64))
    rows = [(PointId(i), stored(i, i % every == 0)) for i in range(POINTS)]
    return config, MemorySegment(config, rows, [""])


def stored(i: int, has_vector: bool = True) -> bytes:
    vectors = [(0, clustered()[i].tobytes())] if has_vector else []
    return encode_point(1, vectors, b'{"digit":%d}' % (i * 7919 % 10))


def shard(distance: Distance, every: int = 1) -> LiveShard:
    config, built = segment(distance, every)
    return LiveShard(ShardId(1, 0), config, [(built, nobody_dead(built))], 0)


def recall(view: ShardView, filter: Filter | None = None, ef: int | None = None) -> float:
    """Of the truly nearest, how many are found; checks what is found against exact scores."""
    hits = 0
    for vector in queries():
        found = search([view], nearest(vector, filter=filter, ef=ef), PLAIN)
        exact = search([view], nearest(vector, filter=filter, exact=True), PLAIN)
        scores = {p.id: p.score for p in exact}
        assert all(scores.get(p.id, p.score) == p.score for p in found)
        assert len(found) == len(exact)
        hits += sum(p.id in scores for p in found)
    return hits / (QUERIES * WANTED)


def nearest(
    vector: Matrix, *, filter: Filter | None = None, ef: int | None = None, exact: bool = False
) -> NearestQuery:
    return NearestQuery(vector, "", WANTED, filter=filter, hnsw_ef=ef, exact=exact)


def goes_by_graph(view: ShardView, ef: int, filter: Filter | None = None) -> bool:
    part = view.segments[0]
    vectors = part.vectors("")
    assert vectors is not None
    return walk_for(Findable(part, vectors, filter), ef, DIM) is not None


@pytest.mark.parametrize("distance", GRAPH_DISTANCES)
def test_recall(distance: Distance) -> None:
    view = shard(distance).view
    assert goes_by_graph(view, 64)
    assert recall(view) > 0.95
    assert recall(view, ef=256) > 0.98


@pytest.mark.parametrize("below", [7, 8, 9])
@pytest.mark.parametrize("distance", [Distance.COSINE, Distance.EUCLID])
def test_recall_under_a_filter(distance: Distance, below: int) -> None:
    view = shard(distance).view
    filter = parse_filter({"must": [{"key": "digit", "range": {"lt": below}}]})
    assert goes_by_graph(view, 12, filter)
    assert recall(view, filter, ef=12) > 0.8
    assert recall(view, filter) > 0.95


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("ef", [16, 64])
def test_a_walk_finds_more_surely_where_not_everything_may_be_found(share: float, ef: int) -> None:
    view = shard(Distance.EUCLID).view
    graph = view.segments[0].graph("")
    assert graph is not None
    allowed = np.random.default_rng(7).random(POINTS) < share
    hits = [0, 0]
    for query in queries():
        for number, mask in enumerate([None, allowed]):
            far = np.linalg.norm(clustered() - query, axis=1)
            if mask is not None:
                far[~mask] = np.inf
            found = graph.search(query, WANTED, ef, mask, None).rows[:WANTED]
            hits[number] += len(set(found.tolist()) & set(np.argsort(far)[:WANTED].tolist()))
    assert hits[1] > hits[0] - WANTED
    assert hits[1] > 0.9 * WANTED * QUERIES


def test_recall_where_only_some_points_have_the_vector() -> None:
    view = shard(Distance.COSINE, every=2).view
    assert goes_by_graph(view, 64)
    assert recall(view) > 0.95


@pytest.mark.parametrize("nearest_dead", [0, 300, POINTS - 50])
def test_dead_points_make_room_for_others(nearest_dead: int) -> None:
    live = shard(Distance.EUCLID)
    order: list[int] = np.argsort(np.linalg.norm(clustered() - queries()[0], axis=1)).tolist()
    doomed = order[:nearest_dead] if nearest_dead else order[::3]
    dead = [PointId(i) for i in doomed]
    live.apply(dead, [None] * len(dead), 1)
    view = live.publish(1)
    assert recall(view) > 0.95
    assert recall(view, ef=WANTED) > 0.7


def test_the_tail_and_the_graph_answer_together() -> None:
    live = shard(Distance.COSINE)
    before = live.view
    moved = [PointId(i) for i in range(0, POINTS, 4)]
    live.apply(moved, [stored(i) for i in moved], 1)
    after = live.publish(1)
    for vector in queries():
        old, new = (search([v], nearest(vector, exact=True), PLAIN) for v in (before, after))
        assert [(p.id, p.score) for p in old] == [(p.id, p.score) for p in new]
    assert recall(after) > 0.95


def test_dead_points_among_those_that_have_the_vector() -> None:
    live = shard(Distance.COSINE, every=2)
    dead = [PointId(i) for i in range(0, POINTS, 8)]
    live.apply(dead, [None] * len(dead), 1)
    view = live.publish(1)
    assert goes_by_graph(view, 32)
    assert recall(view, ef=32) > 0.9
    for vector in queries():
        assert all(p.id % 8 for p in search([view], nearest(vector), PLAIN))


@pytest.mark.parametrize("exact", [False, True])
def test_an_excluded_point_makes_room_for_another(exact: bool) -> None:
    view = shard(Distance.EUCLID).view
    query = nearest(clustered()[17], exact=exact)
    found = search([view], query, PLAIN)
    assert found[0].id == 17
    others = search([view], replace(query, excluded=PointId(17)), PLAIN)
    assert len(others) == WANTED
    assert [p.id for p in others[:-1]] == [p.id for p in found[1:]]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("distance", list(Distance))
def test_equally_near_points_come_by_id(distance: Distance, exact: bool) -> None:
    config = CollectionConfig(vectors={"": VectorParams(33, distance)}, hnsw=HnswConfig(ef_construct=16))
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(50, 33)).astype(np.float32)[np.arange(1003) % 50]
    rows = [(PointId(i), encode_point(1, [(0, row.tobytes())], b"")) for i, row in enumerate(vectors)]
    built = MemorySegment(config, rows, [""])
    live = LiveShard(ShardId(1, 0), config, [(built, nobody_dead(built))], 0)
    moved = [row for row in rows if row[0] % 3 == 0]
    live.apply([i for i, _ in moved], [stored for _, stored in moved], 1)
    view = live.publish(1)
    for copy in range(50):
        query = NearestQuery(vectors[copy] * np.float32(1.1), "", 4, exact=exact)
        found = search([view], query, PLAIN)
        assert len({p.score for p in found}) == 1
        assert [p.id for p in found] == sorted(p.id for p in found)
        if exact:
            first = found[0].id % 50
            assert [p.id for p in found] == [first + 50 * n for n in range(4)]


def test_equal_vectors_that_the_graph_cannot_reach_are_found() -> None:
    config = CollectionConfig(vectors={"": VectorParams(2, Distance.EUCLID)}, hnsw=HnswConfig(m=4, ef_construct=4))
    same = np.array([1, 1], np.float32).tobytes()
    rows = [(PointId(i), encode_point(1, [(0, same)], b"")) for i in range(2000)]
    built = MemorySegment(config, rows, [""])
    view = LiveShard(ShardId(1, 0), config, [(built, nobody_dead(built))], 0).view
    query = NearestQuery(np.array([1, 1], np.float32), "", 100)
    found = search([view], query, PLAIN)
    assert len(found) == 100
    assert {p.score for p in found} == {0.0}


def test_what_is_costly() -> None:
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((30_000, 512), np.float32)
    config = CollectionConfig(vectors={"": VectorParams(512, Distance.MANHATTAN)})
    live = LiveShard(ShardId(1, 0), config, [], 0)
    ids = [PointId(i) for i in range(len(matrix))]
    live.apply(ids, [encode_point(1, [(0, row.tobytes())], b"") for row in matrix], 1)
    view = live.publish(1)
    query = NearestQuery(matrix[0], "", 3)
    assert is_costly([view], query)
    assert search([view], query, PLAIN)[0].id == 0
    one = parse_filter({"must": [{"has_id": [5]}]})
    filtered = NearestQuery(matrix[0], "", 3, filter=one)
    assert is_costly([view], filtered)
    assert [p.id for p in search([view], filtered, PLAIN)] == [5]
    assert not is_costly([view], filtered)
    assert not is_costly([shard(Distance.COSINE).view], nearest(queries()[0]))


def test_indexed_only_leaves_out_what_is_large_and_has_no_graph() -> None:
    live = shard(Distance.COSINE)
    live.apply([PointId(POINTS + i) for i in range(100)], [stored(0)] * 100, 1)
    config = live.publish(1).config
    query = NearestQuery(clustered()[0], "", 2, indexed_only=True)
    assert [p.id for p in search([live.view], query, PLAIN)] == [0, POINTS]
    patient = msgspec.structs.replace(
        config, hnsw=HnswConfig(full_scan_threshold=1), optimizers=OptimizersConfig(indexing_threshold=1)
    )
    live.reconfigure(patient, 2)
    found = search([live.publish(2)], query, PLAIN)
    assert found[0].id == 0
    assert found[1].id < POINTS
    assert not is_costly([live.view], query)
    # What has a graph is not left out where it isn't used.
    assert [p.id for p in search([live.view], replace(query, exact=True), PLAIN)] == [p.id for p in found]
