"""Graphs: few points, equal points, many threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np
import pytest

from projector.segments import graph_check
from projector.segments.errors import SegmentDamagedError
from projector.segments.graph import SPACES, Graph, Walk, supports
from projector.segments.graph_build import build_links
from projector.segments.graph_check import check_graph
from projector.segments.graph_links import Links
from projector.segments.repeats import Repeats
from schemas.config import Distance
from schemas.vectors.normalise import normalise
from tests.support.graphs import graph_over


def vectors(rows: int, dim: int = 8) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(rows).standard_normal((rows, dim)).astype(np.float32)


def test_more_is_asked_for_than_there_is() -> None:
    graph = graph_over(vectors(5), Distance.EUCLID)
    rows, distances, *_ = graph.search(vectors(5)[2], 50, 128)
    assert sorted(rows.tolist()) == [0, 1, 2, 3, 4]
    assert rows[0] == 2
    assert distances.tolist() == sorted(distances.tolist())


def test_equal_points_never_raise() -> None:
    matrix = np.ones((3000, 8), np.float32)
    graph = graph_over(matrix, Distance.EUCLID, 2, 4)
    for k in (1, 10, 1000, 3000):
        rows, distances, *_ = graph.search(matrix[0], k, 16)
        assert 0 < len(rows) == len(distances) <= max(k, 16)
        assert len(set(rows.tolist())) == len(rows)


def test_a_saved_graph_answers_alike(tmp_path: Path) -> None:
    matrix = normalise(vectors(2000))
    links = build_links(matrix, Distance.COSINE, 16, 100, 1, Repeats.none(), lambda _: None)
    path = tmp_path / "graph.0.links"
    links.write(path)
    graph, opened = (Graph(these, matrix, Distance.COSINE, Repeats.none()) for these in (links, Links.open(path, 2000)))
    for query in matrix[:20]:
        assert opened.search(query, 10, 64).rows.tolist() == graph.search(query, 10, 64).rows.tolist()
    with pytest.raises(SegmentDamagedError, match="2000 rows"):
        Links.open(path, 1999)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SegmentDamagedError, match=r"graph\.0\.links"):
        Links.open(path, 2000)


@pytest.mark.parametrize("distance", [Distance.COSINE, Distance.DOT, Distance.EUCLID])
@pytest.mark.parametrize("rows", [1, 300, 3000])
def test_what_is_found_is_what_hnswlib_finds(tmp_path: Path, distance: Distance, rows: int) -> None:
    matrix = vectors(rows, 24)
    index = hnswlib.Index(SPACES[distance], 24)
    index.init_index(rows, M=8, ef_construction=60)
    index.add_items(matrix, num_threads=1)
    path = tmp_path / "graph.0.hnsw"
    index.save_index(str(path))
    index.set_ef(1)
    graph = Graph(Links.open(path, rows), matrix, distance, Repeats.none())
    for query in np.concatenate([matrix[:20], vectors(21, 24)]):
        for ef in (1, 10, 100):
            wanted = min(ef, rows)
            labels, distances = index.knn_query(query, k=wanted, num_threads=1)
            walk = graph.search(query, wanted, ef)
            assert walk.rows.tolist() == labels[0].tolist()
            assert np.allclose(walk.distances, distances[0], rtol=1e-4, atol=1e-4)


def test_a_file_of_hnswlibs_that_is_cut_is_refused(tmp_path: Path) -> None:
    index = hnswlib.Index("l2", 8)
    index.init_index(500, M=4, ef_construction=20)
    index.add_items(vectors(500), num_threads=1)
    path = tmp_path / "graph.0.hnsw"
    index.save_index(str(path))
    whole = path.read_bytes()
    for length in (50, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(SegmentDamagedError, match=r"graph\.0\.hnsw"):
            Links.open(path, 500)
    path.write_bytes(whole)
    with pytest.raises(SegmentDamagedError, match="more than 499 rows"):
        Links.open(path, 499)


def test_threads_search_with_an_ef_of_their_own() -> None:
    matrix = vectors(4000)
    graph = graph_over(matrix, Distance.EUCLID, 8, 50, threads=2)
    queries = vectors(200) * 0.9

    def search(job: int) -> list[int]:
        return graph.search(queries[job // 2], 10, (10, 200)[job % 2]).rows.tolist()

    jobs = range(2 * len(queries))
    alone = [search(job) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(search, jobs))
    assert together == alone


def test_progress_ends_with_all_rows() -> None:
    seen: list[int] = []
    graph_over(vectors(5000), Distance.DOT, 8, 20, threads=2, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 5000
    assert len(seen) > 1


def test_manhattan_has_no_graph() -> None:
    assert [d for d in Distance if not supports(d)] == [Distance.MANHATTAN]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("distance", [Distance.DOT, Distance.EUCLID])
def test_graphs_of_long_vectors_are_checked_without_an_overflow(distance: Distance) -> None:
    matrix = vectors(1000, 16)
    usual = check_graph(graph_over(matrix, distance), matrix, distance, 128)
    longer = matrix * np.float32(2e18)
    assert check_graph(graph_over(longer, distance), longer, distance, 128) == usual
    assert usual.sufficient


def test_larger_graphs_are_checked_farther_on(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = vectors(1600)
    graph = graph_over(matrix, Distance.EUCLID, 8, 50)
    asked: set[int] = set()
    search = graph.search

    def noted(query: np.ndarray[Any, Any], wanted: int, ef: int) -> Walk:
        asked.add(ef)
        return search(query, wanted, ef)

    monkeypatch.setattr(graph, "search", noted)
    for usual, ef in ((1600, 50), (200, 100), (3200, 50)):
        monkeypatch.setattr(graph_check, "USUAL_ROWS", usual)
        asked.clear()
        assert check_graph(graph, matrix, Distance.EUCLID, 50).sufficient
        assert asked == {ef}


@pytest.mark.filterwarnings("error")
def test_a_graph_whose_distances_are_no_numbers_is_not_relied_on() -> None:
    matrix = vectors(1000, 16) * np.float32(1e25)
    assert not check_graph(graph_over(matrix, Distance.DOT), matrix, Distance.DOT, 128).sufficient
