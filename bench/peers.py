"""What the numbers are held against: the bare library or call underneath, in this process, without a server."""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import hnswlib
import numpy as np
from numpy.typing import NDArray

from bench.memory import own_anonymous
from bench.rest.turns import Ask
from bench.workload import K, Workload, normalised

M = 16
EF_CONSTRUCT = 100


@dataclass(frozen=True)
class Graph:
    """A graph over all vectors, and what it took to build."""

    index: hnswlib.Index
    build_seconds: float
    memory: int


def build_graph(work: Workload) -> Graph:
    """A graph with Headwater's parameters, all cores."""
    before = own_anonymous()
    begun = time.perf_counter()
    index = hnswlib.Index("cosine", work.vectors.shape[1])
    index.init_index(work.size, M=M, ef_construction=EF_CONSTRUCT)
    index.add_items(work.vectors, num_threads=os.cpu_count() or 1)
    return Graph(index, time.perf_counter() - begun, own_anonymous() - before)


def graph_search(graph: Graph, queries: NDArray[np.float32], ef: int) -> tuple[list[float], list[list[int]]]:
    """Seconds and answers of one query at a time on one thread."""
    graph.index.set_ef(ef)
    seconds: list[float] = []
    found: list[list[int]] = []
    for query in queries:
        begun = time.perf_counter()
        labels, _ = graph.index.knn_query(query, k=K, num_threads=1)
        seconds.append(time.perf_counter() - begun)
        found.append(labels[0].tolist())
    return seconds, found


def scan(work: Workload) -> Ask:
    """An exact search over all points at a time."""
    return _scan(work, np.arange(work.size), gathered=False, every=1)


def gathered_scan(work: Workload, passing: NDArray[np.bool_], every: int) -> Ask:
    """An exact search over the points that pass, gathered for each, for one in ``every`` queries."""
    return _scan(work, np.flatnonzero(passing), gathered=True, every=every)


def _scan(work: Workload, rows: NDArray[np.intp], *, gathered: bool, every: int) -> Ask:
    data = normalised(work.vectors)

    def ask(part: slice) -> tuple[list[float], list[list[int]]]:
        seconds: list[float] = []
        found: list[list[int]] = []
        for query in work.queries[part][::every]:
            begun = time.perf_counter()
            scores = (data[rows] if gathered else data) @ query
            best = np.argpartition(-scores, K)[:K]
            seconds.append(time.perf_counter() - begun)
            found.append(rows[best].tolist())
        return seconds, found

    return ask


def synced_appends(bodies: list[bytes]) -> list[float]:
    """Seconds of one append of a body to a file at a time, synced: what no durable write can be faster than."""
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        file = os.open(Path(folder) / "appends", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        for body in bodies:
            begun = time.perf_counter()
            os.write(file, body)
            os.fdatasync(file)
            seconds.append(time.perf_counter() - begun)
        os.close(file)
    return seconds


def reload_seconds(graph: Graph, work: Workload) -> float:
    """Seconds from a saved graph's file to its first answer."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "graph")
        graph.index.save_index(path)
        begun = time.perf_counter()
        index = hnswlib.Index("cosine", work.vectors.shape[1])
        index.load_index(path, max_elements=work.size)
        index.knn_query(work.queries[:1], k=K)
        return time.perf_counter() - begun
