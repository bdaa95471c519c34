"""What goes into a segment comes out of it, from spills and from segments."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from projector.segments.errors import BuildFailedError
from projector.segments.reader import Segment
from projector.vectors.dense import DenseVectors
from projector.view.part import row_of
from schemas.config import Distance
from schemas.filters import parse_filter
from schemas.ids import UUID_BASE, PointId
from schemas.vectors.normalise import normalise
from tests.projector.segments.samples import (
    COSINE,
    DIMS,
    EUCLID,
    Sample,
    build,
    config,
    samples,
    segment_of,
    spec,
    spill,
    uuid,
)

NUMBERS = [PointId(n) for n in (0, 1, 5, 7, 10, 11, 2**63, 2**64 - 1)]
UUIDS = [uuid(n) for n in (0, 1, 255, 256, 1 << 64, (1 << 64) + 256, (1 << 128) - 1)]


def assert_holds(segment: Segment, points: Mapping[PointId, Sample]) -> None:
    ids = sorted(points)
    assert segment.size == len(ids)
    assert segment.ids_at(np.arange(segment.size)) == ids
    assert segment.slots_of(ids).tolist() == list(range(len(ids)))
    for slot, point_id in enumerate(ids):
        point = points[point_id]
        assert segment.slot_of(point_id) == slot
        assert segment.id_at(slot) == point_id
        assert segment.version_at(slot) == point.version
        assert segment.payload_at(slot) == point.payload
        for name in DIMS:
            assert_has_vector(segment, slot, name, point)


def assert_has_vector(segment: Segment, slot: int, name: str, point: Sample) -> None:
    vectors = segment.vectors(name)
    row = -1 if vectors is None else row_of(vectors, slot)
    if name not in point.vectors:
        assert row == -1
        return
    assert vectors is not None
    expected = np.array([point.vectors[name]], np.float32)
    if name == COSINE:
        expected = normalise(expected)
    assert vectors.value(row).tobytes() == expected[0].tobytes()


def test_a_spill_comes_out_of_a_segment(tmp_path: Path) -> None:
    points = samples([*UUIDS, *reversed(NUMBERS)])
    segment = segment_of(tmp_path / "s", points)
    assert_holds(segment, points)
    segment.check()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s", "s.spill"]


def test_ids_that_are_absent_have_no_slot(tmp_path: Path) -> None:
    segment = segment_of(tmp_path / "s", samples([*NUMBERS, *UUIDS]))
    absent = [PointId(2), PointId(12), PointId(2**63 + 1), uuid(2), uuid(257), uuid((1 << 64) + 1)]
    assert segment.slots_of(absent).tolist() == [-1] * len(absent)
    assert [segment.slot_of(i) for i in absent] == [-1] * len(absent)
    mixed = [absent[0], UUIDS[2], absent[3], NUMBERS[1]]
    assert segment.slots_of(mixed).tolist() == [-1, len(NUMBERS) + 2, -1, 1]


def test_lower_bounds_are_those_of_a_sorted_list(tmp_path: Path) -> None:
    ids = [*NUMBERS, *UUIDS]
    segment = segment_of(tmp_path / "s", samples(ids))
    for probe in [PointId(i + d) for i in ids for d in (-1, 0, 1) if i + d >= 0]:
        expected = sum(i < probe for i in ids)
        assert segment.lower_bound(probe) == expected


@pytest.mark.parametrize("ids", [NUMBERS, UUIDS, [PointId(i) for i in range(4, 40)]])
def test_ids_of_one_kind(tmp_path: Path, ids: list[PointId]) -> None:
    assert_holds(segment_of(tmp_path / "s", samples(ids)), samples(ids))


def test_nothing_at_all(tmp_path: Path) -> None:
    segment = segment_of(tmp_path / "s", {})
    assert segment.size == 0
    assert segment.slot_of(PointId(1)) == segment.slot_of(uuid(1)) == -1
    assert segment.slots_of([PointId(1), uuid(1)]).tolist() == [-1, -1]
    assert segment.vectors(COSINE) is None
    assert len(segment.select(parse_filter({})).possible) == 0


def test_points_without_vectors(tmp_path: Path) -> None:
    points = {PointId(i): Sample(i, {}, b"{}") for i in range(5)}
    segment = segment_of(tmp_path / "s", points, graph=True)
    assert_holds(segment, points)
    assert segment.graph(COSINE) is None


def test_merging_leaves_the_dead_out(tmp_path: Path) -> None:
    first = samples([PointId(i) for i in range(0, 60, 2)] + [uuid(i) for i in range(0, 20, 2)])
    second = samples([PointId(i) for i in range(1, 60, 3)] + [uuid(i) for i in range(1, 20, 2)], version=2)
    newer = samples([PointId(2), PointId(4), uuid(4), PointId(1000)], version=3)
    a, b = segment_of(tmp_path / "a", first), segment_of(tmp_path / "b", second)
    shared = [i for i in second if i in first]
    dead_a = [*shared, PointId(2), PointId(4), uuid(4)]
    dead_b = [PointId(4)] if PointId(4) in second else []
    merged = build(
        spec(
            tmp_path / "m",
            [spill(tmp_path / "x.spill", newer)],
            [(a, [a.slot_of(i) for i in set(dead_a)]), (b, [b.slot_of(i) for i in dead_b])],
        )
    )
    assert_holds(merged, {**first, **second, **newer})


def test_normalising_twice_changes_nothing(tmp_path: Path) -> None:
    points = samples([PointId(i) for i in range(200)])
    first = segment_of(tmp_path / "a", points)
    second = build(spec(tmp_path / "b", segments=[(first, [])]))
    assert_holds(second, points)


def test_an_id_in_two_sources_is_refused(tmp_path: Path) -> None:
    points = samples(NUMBERS)
    segment = segment_of(tmp_path / "a", points)
    with pytest.raises(BuildFailedError):
        build(spec(tmp_path / "b", [spill(tmp_path / "x.spill", samples(NUMBERS[:1]))], [(segment, [])]))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "a.spill", "x.spill"]


def test_graphs_find_what_exact_search_finds(tmp_path: Path) -> None:
    points = samples([PointId(i) for i in range(1, 1500)])
    segment = segment_of(tmp_path / "s", points, graph=True)
    for name in DIMS:
        vectors, graph = segment.vectors(name), segment.graph(name)
        assert isinstance(vectors, DenseVectors)
        assert graph is not None
        query = vectors.matrix[17]
        differences = vectors.matrix - query
        exact = 1 - vectors.matrix @ query if name == COSINE else (differences**2).sum(axis=1)
        walk = graph.search(query, 10, 500)
        rows, distances = walk.rows[:10], walk.distances[:10]
        assert rows.tolist() == np.argsort(exact, kind="stable")[:10].tolist()
        np.testing.assert_allclose(distances, exact[rows], atol=1e-5)


def test_there_is_no_graph_for_manhattan(tmp_path: Path) -> None:
    points = samples([PointId(i) for i in range(1, 600)])
    wanted = spec(tmp_path / "s", [spill(tmp_path / "x", points)], graph=True, configuration=config(manhattan=True))
    segment = build(wanted)
    assert segment.graph(COSINE) is not None
    assert segment.graph(EUCLID) is None
    assert {v.name: v.distance for v in segment.meta.vectors}[EUCLID] is Distance.MANHATTAN


def test_a_segment_answers_filters(tmp_path: Path) -> None:
    segment = segment_of(tmp_path / "s", samples([PointId(i) for i in range(100)] + [uuid(3)]))
    conditions = [{"key": "city", "match": {"value": "c1"}}, {"has_id": [1, 4, 5, 7]}]
    selection = segment.select(parse_filter({"must": conditions}))
    assert selection.exact
    assert selection.sure.slots().tolist() == [1, 4]
    with_vector = segment.select(parse_filter({"must": [{"has_vector": EUCLID}]}))
    assert with_vector.sure.mask().tolist() == [i % 5 != 0 for i in range(100)] + [(UUID_BASE + 3) % 100_003 % 5 != 0]


def test_a_deleted_segment_stays_readable(tmp_path: Path) -> None:
    points = samples(NUMBERS)
    segment = segment_of(tmp_path / "s", points)
    (tmp_path / "s" / "segment.flat").unlink()
    assert_holds(segment, points)
