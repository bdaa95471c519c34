"""A graph that can be relied on: built, mended, checked; and built with more effort if it falls short."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from projector.segments.graph_check import GraphQuality, check_graph
from projector.segments.graph_links import NEAREST, mend_links
from projector.segments.repeats import Repeats
from schemas.config import Distance, HnswConfig

MAX_M = 2048
MAX_EF = 65536
"""A graph is built with no more than these, whatever is configured: hnswlib sets memory aside for m links a row."""

MORE_LINKS, MORE_EFFORT = 2, 4
"""By what m and ef_construct are multiplied for a graph in place of one that didn't find enough."""


def build_graph(
    path: Path,
    matrix: NDArray[np.float32],
    distance: Distance,
    hnsw: HnswConfig,
    threads: int,
    repeats: Repeats,
    progress: Callable[[int], None],
) -> GraphQuality:
    """Write a graph over ``matrix``, float32 [rows, dim], to ``path``. Its quality says whether it is to be used."""

    def write_mended(path: Path, graph: Graph) -> None:
        graph.save(path)
        mend_links(path, lambda row: graph.search(matrix[row], NEAREST, hnsw.ef_construct)[0])

    def attempt(m: int, ef_construct: int) -> GraphQuality:
        write_mended(
            path, Graph.build(matrix, distance, min(m, MAX_M), min(ef_construct, MAX_EF), threads, progress, repeats)
        )
        mended = Graph.load(path, distance, matrix.shape[1], len(matrix), repeats)
        return check_graph(mended, matrix, distance, hnsw.ef_construct)

    quality = attempt(hnsw.m, hnsw.ef_construct)
    return quality if quality.sufficient else attempt(MORE_LINKS * hnsw.m, MORE_EFFORT * hnsw.ef_construct)
