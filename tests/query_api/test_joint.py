"""Parts of a view that are searched together: beside one by one, over what dies, what is equal and what is added."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from structlog.testing import capture_logs

from ingest.deadline import Deadline
from projector.frames import ShardId
from projector.kernel import KernelParts, KernelPool
from projector.segments.build import build_segment
from projector.segments.graph import Graph
from projector.segments.graph_links import Links
from projector.segments.reader import Segment
from projector.segments.repeats import Repeats
from projector.segments.spec import BuildSpec
from projector.segments.spill import write_spill
from projector.vectors.dense import DenseVectors
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from query_api.budget import Allowance, OverEstimateError
from query_api.explain import Notes
from query_api.find.joint import JointSearch
from query_api.find.nearest import NearestSearch
from query_api.find.selection import Findable
from query_api.find.strategy import WalkPlan
from query_api.find.targets import REMEMBERED_DIVISIONS
from query_api.find.walks import GraphWalk
from query_api.hits import Hit
from query_api.plan.leaves import Nearest, QuantizedSearch
from query_api.vectors import dense
from schemas.config import CollectionConfig, Distance, HnswConfig, VectorParams
from schemas.ids import PointId
from schemas.points import encode_point
from tests.projector.kernel.test_threads import next_taken
from tests.projector.view.memory_segment import nobody_dead

DIM = 32
CONFIG = CollectionConfig(
    vectors={"all": VectorParams(DIM, Distance.COSINE), "some": VectorParams(DIM, Distance.EUCLID)},
    hnsw=HnswConfig(m=8, ef_construct=40),
)
SIZES = {6000: True, 4000: True, 500: False}
"""Of segments: how many points they have, and whether they have graphs."""
POINTS = sum(SIZES)
MORE = 300
EFS = (4, 8, 16)


def unlimited() -> Allowance:
    return Allowance(np.inf, Deadline(np.inf))


@cache
def vectors() -> NDArray[np.float32]:
    """Of few levels near few centres, so that many are as near as others, and one in eight is a repeat."""
    rng = np.random.default_rng(3)
    centres = rng.integers(-2, 3, (30, DIM))
    some = centres[rng.integers(0, 30, POINTS + MORE)] + (rng.random((POINTS + MORE, DIM)) < 0.1)
    repeated = rng.choice(POINTS + MORE, (POINTS + MORE) // 8, replace=False)
    some[repeated] = some[rng.integers(0, POINTS + MORE, len(repeated))]
    return some.astype(np.float32)


def stored(row: int, moved: int = 0) -> bytes:
    values = vectors()[(row + moved) % len(vectors())].tobytes()
    return encode_point(1, [(0, values), (1, values)] if row % 3 else [(0, values)], b"")


@cache
def segments() -> list[Segment]:
    folder, ids = Path(mkdtemp()), np.random.default_rng(4).permutation(POINTS).tolist()
    built: list[Segment] = []
    for size, graph in SIZES.items():
        theirs, ids = sorted(ids[:size]), ids[size:]
        spilled = folder / f"{size}.spill"
        with write_spill(spilled) as spill:
            spill.add([PointId(i) for i in theirs], [stored(i) for i in theirs])
        build_segment(BuildSpec(str(folder / f"{size}"), CONFIG, [str(spilled)], [], graph, threads=1), lambda _: None)
        built.append(Segment.open(folder / f"{size}"))
    return built


def shard() -> LiveShard:
    return LiveShard(ShardId(1, 0), CONFIG, [(segment, nobody_dead(segment)) for segment in segments()], 0)


def asked(row: int = 0, **other: Any) -> Nearest:
    vector = vectors()[row] + np.float32(0.01)
    leaf = Nearest(limit=5, vector=vector.tobytes(), using="all", hnsw_ef=EFS[0])
    return msgspec.structs.replace(leaf, **other)


def joint_of(search: NearestSearch) -> JointSearch:
    (joint,) = search.ahead
    assert isinstance(joint, JointSearch)
    return joint


def part_by_part(view: ShardView, leaf: Nearest) -> tuple[list[Hit], list[str]]:
    allowance = unlimited()
    allowance.notes = Notes()
    hits = NearestSearch(view, leaf).run(allowance)
    return hits, [note.strategy for note in allowance.notes.parts]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_they_find_what_one_by_one_is_found(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 1 << 20)))
    live, pool = shard(), KernelPool(2)
    for offset in (1, 2):
        gone = rng.choice(POINTS, int(POINTS * data.draw(st.sampled_from([0, 0.01, 0.3, 0.9]))), replace=False)
        live.apply([PointId(i) for i in gone.tolist()], [None] * len(gone), offset)
        moved = rng.choice(POINTS + MORE, data.draw(st.integers(0, MORE)), replace=False).tolist()
        live.apply([PointId(i) for i in moved], [stored(i, 7) for i in moved], offset)
        view = live.publish(offset)
        for _ in range(3):
            leaf = asked(
                int(rng.integers(POINTS)),
                limit=data.draw(st.sampled_from([1, 5, 60])),
                using=data.draw(st.sampled_from(["all", "some"])),
                hnsw_ef=data.draw(st.sampled_from(EFS)),
                quantization=QuantizedSearch(ignore=data.draw(st.booleans())),
                excluded=frozenset(map(PointId, rng.integers(0, POINTS, 2).tolist())),
            )
            right, _ = part_by_part(view, leaf)
            assert NearestSearch(view, leaf).run(unlimited()) == right
            ahead = NearestSearch(view, leaf)
            joint_of(ahead).begin(pool, 1)
            joint_of(ahead).end(next_taken(pool))
            assert joint_of(ahead).us == 0
            assert ahead.run(unlimited()) == right


def test_graphs_are_walked_by_codes_together_with_scans() -> None:
    view = shard().view
    joint = joint_of(NearestSearch(view, asked()))
    assert [walked.target.part.size for walked in joint.division.walked] == [6000, 4000]
    assert [target.part.size for target in joint.division.scanned] == [500]
    assert all(walked.graph.search_codes is not None for walked in joint.division.walked)
    assert part_by_part(view, asked())[1] == ["graph", "graph", "exact"]


def test_where_all_that_is_near_is_dead_walks_go_farther() -> None:
    live, leaf = shard(), asked(limit=3)
    near = [hit.id for hit in NearestSearch(live.view, asked(limit=700, exact=True)).run(unlimited())]
    live.apply(near, [None] * len(near), 1)
    search = NearestSearch(live.publish(1), leaf)
    hits = search.run(unlimited())
    assert joint_of(search).unfound(unlimited())
    assert hits == NearestSearch(live.view, asked(limit=3, exact=True)).run(unlimited())


def test_what_is_the_same_for_many_searches_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def counted(*parts: Any) -> KernelParts:
        nonlocal made
        made += 1
        return KernelParts(*parts)

    monkeypatch.setattr(dense, "KernelParts", counted)
    view = shard().view
    for row in range(5):
        NearestSearch(view, asked(row)).run(unlimited())
        NearestSearch(view, asked(row, excluded=frozenset([PointId(1)]), limit=4)).run(unlimited())
    assert made == 1
    for ef in range(4, 5 + REMEMBERED_DIVISIONS):
        NearestSearch(view, asked(hnsw_ef=ef)).run(unlimited())
    assert made == 1 + REMEMBERED_DIVISIONS
    NearestSearch(view, asked()).run(unlimited())
    assert made == 2 + REMEMBERED_DIVISIONS


def test_what_else_is_asked_is_divided_anew() -> None:
    view = shard().view
    usual = joint_of(NearestSearch(view, asked())).division
    assert joint_of(NearestSearch(view, asked(1))).division is usual
    exact = joint_of(NearestSearch(view, asked(exact=True))).division
    assert not exact.walked
    assert len(exact.scanned) == len(SIZES)
    ignoring = QuantizedSearch(ignore=True)
    for other in (asked(indexed_only=True), asked(limit=6), asked(hnsw_ef=5), asked(quantization=ignoring)):
        assert joint_of(NearestSearch(view, other)).division not in (usual, exact)


def test_what_walks_compare_is_spent() -> None:
    view, spent = shard().view, [Allowance(np.inf, Deadline(np.inf)) for _ in EFS]
    for ef, allowance in zip(EFS, spent, strict=True):
        joint_of(NearestSearch(view, asked(hnsw_ef=ef))).nearest(allowance)
    assert spent[0].spent < spent[1].spent < spent[2].spent


def test_walks_that_turn_out_to_be_long_end_on_the_loop() -> None:
    joint = joint_of(NearestSearch(shard().view, asked(hnsw_ef=16)))
    with pytest.raises(OverEstimateError):
        joint.nearest(Allowance(joint.us / 4, Deadline(np.inf)))
    assert joint.us > 0


def test_a_damaged_graph_is_told_of_and_its_part_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    live = shard()
    segment = live.view.segments[0].segment
    held = segment.vectors("all")
    assert isinstance(held, DenseVectors)
    links = np.full((held.rows, 9), held.rows, np.uint32)
    links[:, 0] = 8
    damaged = Graph(Links(links, [], 0), held.matrix, Distance.COSINE, Repeats.none())
    graph_of = Segment.graph

    def graph(self: Segment, name: str) -> Graph | None:
        return damaged if self is segment else graph_of(self, name)

    monkeypatch.setattr(Segment, "graph", graph)
    view = live.publish(1)
    with capture_logs() as logs:
        found = [NearestSearch(view, asked(row)).run(unlimited()) for row in range(4)]
    assert [log["event"] for log in logs] == ["a graph in use is damaged"]
    monkeypatch.undo()
    right = [NearestSearch(live.publish(2), asked(row, exact=True)).run(unlimited()) for row in range(4)]
    numbers = [number for number, part in enumerate(view.parts) if part.size == held.rows]
    for some, best in zip(found, right, strict=True):
        of_part = [hit for hit in best if hit.place >> 32 in numbers]
        assert set(of_part) <= set(some)


@pytest.mark.parametrize("by_codes", [True, False])
def test_repeats_that_lead_to_no_row_are_damage_as_well(monkeypatch: pytest.MonkeyPatch, by_codes: bool) -> None:
    live = shard()
    segment = live.view.segments[0].segment
    whole, held, meta = segment.graph("all"), segment.vectors("all"), segment.meta.vectors[0]
    assert whole is not None
    assert meta.graph is not None
    assert isinstance(held, DenseVectors)
    repeats = Repeats(whole.repeats.firsts, whole.repeats.ends, whole.repeats.rows + np.uint32(held.rows))
    links = Links.open(segment.folder / meta.graph.file, meta.rows)
    damaged = Graph(links, held.matrix, meta.distance, repeats, None, whole.search_codes if by_codes else None)
    graph_of = Segment.graph

    def graph(self: Segment, name: str) -> Graph | None:
        return damaged if self is segment else graph_of(self, name)

    monkeypatch.setattr(Segment, "graph", graph)
    view = live.publish(1)
    (number,) = [number for number, part in enumerate(view.parts) if part.size == held.rows]
    row = int(whole.repeats.firsts[0])
    leaf = asked(vector=held.matrix[row].tobytes())
    with capture_logs() as logs:
        hits = NearestSearch(view, leaf).run(unlimited())
        found = Findable(view.parts[number], held, None)
        assert GraphWalk(damaged, held.matrix[row], found, 5, WalkPlan(16, None, 1.0, 1.0)).spread(unlimited()) is None
    assert [log["event"] for log in logs] == ["a graph in use is damaged"]
    there = NearestSearch(view, asked(vector=leaf.vector, exact=True)).run(unlimited())
    of_part = {hit for hit in there if hit.place >> 32 == number}
    assert of_part
    assert of_part <= set(hits)
