"""Equal vectors: in a graph once, found all."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from projector.segments import graph_build
from projector.segments.build import build_segment
from projector.segments.flat_file import FlatFile
from projector.segments.graph import Graph
from projector.segments.graph_build import build_links
from projector.segments.graph_check import GraphQuality, check_graph
from projector.segments.graph_links import HnswlibFile, Links
from projector.segments.graph_mend import mend_links
from projector.segments.meta import SEGMENT_FILE, SEGMENT_KIND, unfit_reason
from projector.segments.reader import Segment
from projector.segments.repeats import Repeats
from projector.segments.shard_work import is_stale
from projector.segments.spec import BuildSpec, SegmentPiece, pack_mask
from projector.segments.spill import write_spill
from schemas.config import CollectionConfig, Distance, HnswConfig, VectorParams
from schemas.ids import PointId
from schemas.points import encode_point
from tests.support.graphs import graph_over

CONFIG = CollectionConfig(vectors={"": VectorParams(8, Distance.COSINE)})
Matrix = NDArray[np.float32]


def crowded(rows: int, share: float, dim: int = 8) -> Matrix:
    chance = np.random.default_rng(rows)
    matrix = chance.standard_normal((rows, dim)).astype(np.float32)
    matrix[chance.choice(rows, int(share * rows), replace=False)] = matrix[0]
    return matrix


def segment_of(folder: Path, matrix: Matrix, config: CollectionConfig = CONFIG) -> Segment:
    points = [encode_point(row + 1, [(0, vector.tobytes())], b"{}") for row, vector in enumerate(matrix)]
    with write_spill(folder / "x") as spill:
        spill.add([PointId(row) for row in range(len(matrix))], points)
    build_segment(BuildSpec(str(folder / "s"), config, [str(folder / "x")], [], graph=True, threads=1), lambda _: None)
    return Segment.open(folder / "s")


def test_repeats_are_grouped_under_the_first() -> None:
    a, b, c = [1.0, 0.0], [0.0, 1.0], [-0.0, 1.0]
    repeats = Repeats.find(np.array([b, a, [2.0, 2.0], a, c, b, a], np.float32))
    assert repeats.firsts.tolist() == [0, 1]
    assert repeats.rows.tolist() == [4, 5, 3, 6]
    assert repeats.ends.tolist() == [2, 4]
    assert repeats.distinct(7).tolist() == [0, 1, 2]
    assert repeats.fit(7)
    assert not repeats.fit(6)


def test_two_vectors_of_one_hash_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def alike(matrix: Matrix) -> NDArray[np.uint64]:
        return np.zeros(len(matrix), np.uint64)

    monkeypatch.setattr("projector.segments.repeats._hashes", alike)
    repeats = Repeats.find(np.array([[1, 1], [2, 2], [1, 1], [2, 2]], np.float32))
    assert (repeats.firsts.tolist(), repeats.rows.tolist()) == ([0], [2])


def test_points_beside_a_crowd_of_equal_ones_are_found(tmp_path: Path) -> None:
    matrix = crowded(3000, 0.5)
    segment = segment_of(tmp_path, matrix)
    graph, held = segment.graph(""), segment.vectors("")
    assert graph is not None
    assert held is not None
    assert graph.size + len(graph.repeats.rows) == 3000
    others = np.flatnonzero(~(matrix == matrix[0]).all(axis=1))[:200]
    assert sum(graph.search(held.value(row), 1, 100)[0][0] == row for row in others) >= 198


def test_a_segment_without_the_sections_has_no_repeats(tmp_path: Path) -> None:
    segment = segment_of(tmp_path, crowded(400, 0.0))
    sections = FlatFile(segment.folder / SEGMENT_FILE, SEGMENT_KIND).directory.sections
    assert not [name for name in sections if name.startswith("repeat")]
    graph = segment.graph("")
    assert graph is not None
    assert graph.size == 400


def test_a_graph_that_does_not_lead_to_its_rows_is_built_with_more_effort(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    efforts: list[tuple[int, int]] = []
    build = graph_build.build_links

    def noted(matrix: Matrix, distance: Distance, m: int, ef_construct: int, *rest: Any) -> Links:
        efforts.append((m, ef_construct))
        return build(matrix, distance, m, ef_construct, *rest)

    monkeypatch.setattr(graph_build, "build_links", noted)

    def better_later(*_: object) -> GraphQuality:
        return GraphQuality(1.0, 1.0 if len(efforts) > 1 else 0.5)

    monkeypatch.setattr(graph_build, "check_graph", better_later)
    segment = segment_of(tmp_path, crowded(400, 0.0))
    assert efforts == [(16, 100), (32, 400)]
    assert segment.graph("") is not None


def test_one_that_still_does_not_is_left_out_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def poor(*_: object) -> GraphQuality:
        return GraphQuality(0.5, 0.25)

    monkeypatch.setattr(graph_build, "check_graph", poor)
    segment = segment_of(tmp_path, crowded(400, 0.0))
    assert segment.graph("") is None
    reason = unfit_reason(segment.meta.vectors)
    assert reason is not None
    assert "50.0%" in reason
    assert not is_stale(segment, CONFIG)
    assert is_stale(segment, CollectionConfig(vectors=CONFIG.vectors, hnsw=HnswConfig(m=24)))


def test_outliers_are_found_beside_what_is_near_to_everything() -> None:
    matrix = np.random.default_rng(3).standard_normal((3000, 32)).astype(np.float32)
    matrix[0] = 0.0
    links = build_links(matrix, Distance.EUCLID, 16, 100, 1, Repeats.none(), lambda _: None)
    graph = Graph(links, matrix, Distance.EUCLID, Repeats.none())
    before = check_graph(graph, matrix, Distance.EUCLID, 100)
    assert mend_links(links.base, np.arange(3000), lambda row: graph.search(matrix[row], 16, 100).rows[:16]) > 0
    after = check_graph(Graph(links, matrix, Distance.EUCLID, Repeats.none()), matrix, Distance.EUCLID, 100)
    assert not before.sufficient
    assert after.sufficient


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "g").write_bytes(bytes(200))
    with pytest.raises(ValueError, match="not laid out"):
        HnswlibFile(tmp_path / "g")


def test_the_check_sees_that_rows_cannot_be_reached() -> None:
    matrix = crowded(3000, 0.5, dim=32)
    poor = graph_over(matrix, Distance.EUCLID)
    assert not check_graph(poor, matrix, Distance.EUCLID, 100).sufficient
    good = graph_over(matrix, Distance.EUCLID, repeats=Repeats.find(matrix))
    assert check_graph(good, matrix, Distance.EUCLID, 100).sufficient


def test_merging_finds_the_repeats_anew(tmp_path: Path) -> None:
    matrix = crowded(800, 0.5)
    old = segment_of(tmp_path, matrix)
    dead = np.zeros(800, np.bool_)
    dead[0] = True
    piece = SegmentPiece(str(old.folder), pack_mask(dead))
    build_segment(BuildSpec(str(tmp_path / "t"), CONFIG, [], [piece], graph=True, threads=1), lambda _: None)
    graph = Segment.open(tmp_path / "t").graph("")
    assert graph is not None
    equal = np.flatnonzero((matrix[1:] == matrix[0]).all(axis=1))
    assert graph.repeats.firsts.tolist() == equal[:1].tolist()
    assert graph.repeats.rows.tolist() == equal[1:].tolist()
