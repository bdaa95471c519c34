"""Graphs: few points, equal points, many threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from projector.segments.graph import Graph, supports
from projector.segments.repeats import Repeats
from schemas.config import Distance
from schemas.vectors.normalise import normalise


def vectors(rows: int, dim: int = 8) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(rows).standard_normal((rows, dim)).astype(np.float32)


def test_more_is_asked_for_than_there_is() -> None:
    graph = Graph.build(vectors(5), Distance.EUCLID, 16, 100, threads=1)
    rows, distances = graph.search(vectors(5)[2], k=50, ef=128)
    assert sorted(rows.tolist()) == [0, 1, 2, 3, 4]
    assert rows[0] == 2
    assert distances.tolist() == sorted(distances.tolist())


def test_equal_points_never_raise() -> None:
    matrix = np.ones((3000, 8), np.float32)
    graph = Graph.build(matrix, Distance.EUCLID, 2, 4, threads=1)
    for k in (1, 10, 1000, 3000):
        rows, distances = graph.search(matrix[0], k, 16)
        assert 0 < len(rows) == len(distances) <= k
        assert len(set(rows.tolist())) == len(rows)


def test_a_saved_graph_answers_alike(tmp_path: Path) -> None:
    matrix = normalise(vectors(2000))
    graph = Graph.build(matrix, Distance.COSINE, 16, 100, threads=1)
    graph.save(tmp_path / "g")
    loaded = Graph.load(tmp_path / "g", Distance.COSINE, 8, 2000, Repeats.none())
    for query in matrix[:20]:
        assert loaded.search(query, 10, 64)[0].tolist() == graph.search(query, 10, 64)[0].tolist()
    with pytest.raises(ValueError, match="2000 rows"):
        Graph.load(tmp_path / "g", Distance.COSINE, 8, 1999, Repeats.none())
    (tmp_path / "g").write_bytes((tmp_path / "g").read_bytes()[:-1])
    with pytest.raises(ValueError, match="g"):
        Graph.load(tmp_path / "g", Distance.COSINE, 8, 2000, Repeats.none())


def test_threads_search_with_an_ef_of_their_own() -> None:
    matrix = vectors(4000)
    graph = Graph.build(matrix, Distance.EUCLID, 8, 50, threads=2)
    queries = vectors(200) * 0.9

    def search(job: int) -> list[int]:
        rows, _ = graph.search(queries[job // 2], 10, (10, 200)[job % 2])
        return rows.tolist()

    jobs = range(2 * len(queries))
    alone = [search(job) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(search, jobs))
    assert together == alone


def test_progress_ends_with_all_rows() -> None:
    seen: list[int] = []
    Graph.build(vectors(5000), Distance.DOT, 8, 20, threads=2, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 5000
    assert len(seen) > 1


def test_manhattan_has_no_graph() -> None:
    assert [d for d in Distance if not supports(d)] == [Distance.MANHATTAN]
