"""A graph that can be relied on: built by hnswlib, mended, checked; built with more effort if it falls short."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import hnswlib
import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import SPACES, Graph
from projector.segments.graph_check import GraphQuality, check_graph
from projector.segments.graph_links import HnswlibFile, Links
from projector.segments.graph_mend import NEAREST, mend_links
from projector.segments.repeats import Repeats
from schemas.config import Distance, HnswConfig

MAX_M = 2048
MAX_EF = 65536
"""A graph is built with no more than these, whatever is configured: hnswlib sets memory aside for m links a row."""

MORE_LINKS, MORE_EFFORT = 2, 4
"""By what m and ef_construct are multiplied for a graph in place of one that didn't find enough."""

_CHUNK_ROWS = 2048
_SEED = 100

Progress = Callable[[int], None]


def build_graph(
    path: Path,
    matrix: NDArray[np.float32],
    distance: Distance,
    hnsw: HnswConfig,
    threads: int,
    repeats: Repeats,
    progress: Progress,
) -> GraphQuality:
    """Write a graph over ``matrix``, float32 [rows, dim], normalised for Cosine, to ``path``.

    ``progress`` is told from time to time how many rows are in. Its quality says whether it is to be used. With more
    than one thread two builds differ.
    """

    def attempt(m: int, ef_construct: int) -> GraphQuality:
        m, ef_construct = min(m, MAX_M), min(ef_construct, MAX_EF)
        links = build_links(matrix, distance, m, ef_construct, threads, repeats, progress, path.parent)
        graph = Graph(links, matrix, distance, repeats)
        mend_links(
            links.base,
            repeats.distinct(len(matrix)),
            lambda row: graph.search(matrix[row], NEAREST, hnsw.ef_construct).rows[:NEAREST],
        )
        links.write(path)
        return check_graph(graph, matrix, distance, hnsw.ef_construct)

    quality = attempt(hnsw.m, hnsw.ef_construct)
    return quality if quality.sufficient else attempt(MORE_LINKS * hnsw.m, MORE_EFFORT * hnsw.ef_construct)


def build_links(
    matrix: NDArray[np.float32],
    distance: Distance,
    m: int,
    ef_construct: int,
    threads: int,
    repeats: Repeats,
    progress: Progress,
    folder: Path | None = None,
) -> Links:
    """The links of a graph over ``matrix`` without its repeats. What hnswlib has to say passes through ``folder``."""
    total, dim = matrix.shape
    rows = repeats.distinct(total)
    index = hnswlib.Index(SPACES[distance], dim)
    index.init_index(len(rows), M=m, ef_construction=ef_construct, random_seed=_SEED)
    for start in range(0, len(rows), _CHUNK_ROWS):
        chunk = rows[start : start + _CHUNK_ROWS]
        index.add_items(matrix[chunk], chunk.astype(np.uint64), threads)
        progress(total if start + _CHUNK_ROWS >= len(rows) else int(chunk[-1]) + 1)
    with TemporaryDirectory(dir=folder) as temporary:
        saved = Path(temporary) / "saved"
        index.save_index(str(saved))
        del index
        return Links.of_hnswlib(HnswlibFile(saved), total)
