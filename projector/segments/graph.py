"""HNSW graphs (Malkov and Yashunin 2016), a typed wrapper of hnswlib.

A graph's labels are the rows of the vector file it was built from; of rows with equal vectors the first. There is
none for Manhattan, which hnswlib does not know: such vectors are always searched exactly. hnswlib keeps its own copy
of the vectors in memory.
"""

from collections.abc import Callable
from pathlib import Path

import hnswlib
import numpy as np
from numpy.typing import NDArray

from projector.segments.repeats import Repeats
from schemas.config import Distance

_SPACES = {Distance.COSINE: "ip", Distance.DOT: "ip", Distance.EUCLID: "l2"}
_CHUNK_ROWS = 2048
_SEED = 100


def supports(distance: Distance) -> bool:
    """Whether there are graphs for this distance."""
    return distance in _SPACES


class Graph:
    """One graph in memory. Searches may come from any number of threads at once."""

    def __init__(self, index: hnswlib.Index, repeats: Repeats) -> None:
        """``repeats``: the rows that are not in the graph, beside those that stand for them."""
        self._index = index
        self.repeats = repeats
        self.size = index.get_current_count()

    @staticmethod
    def build(
        matrix: NDArray[np.float32],
        distance: Distance,
        m: int,
        ef_construct: int,
        threads: int,
        progress: Callable[[int], None] | None = None,
        repeats: Repeats | None = None,
    ) -> "Graph":
        """Build over ``matrix``, float32 [rows, dim], normalised for Cosine. ``repeats`` are left out; None: none.

        ``progress`` is told from time to time how many rows are in. With more than one thread two builds differ.
        """
        total, dim = matrix.shape
        repeats = repeats or Repeats.none()
        rows = repeats.distinct(total)
        index = hnswlib.Index(_SPACES[distance], dim)
        index.init_index(len(rows), M=m, ef_construction=ef_construct, random_seed=_SEED)
        for start in range(0, len(rows), _CHUNK_ROWS):
            chunk = rows[start : start + _CHUNK_ROWS]
            index.add_items(matrix[chunk], chunk.astype(np.uint64), threads)
            if progress is not None:
                progress(total if start + _CHUNK_ROWS >= len(rows) else int(chunk[-1]) + 1)
        return Graph(index, repeats)

    @staticmethod
    def load(path: Path, distance: Distance, dim: int, rows: int, repeats: Repeats) -> "Graph":
        """Read a saved graph over ``rows`` rows into memory. Raises ValueError for another number of rows, OSError."""
        size = rows - len(repeats.rows)
        index = hnswlib.Index(_SPACES[distance], dim)
        try:
            index.load_index(str(path))
        except RuntimeError as error:
            # hnswlib says no more than that it can't be opened: where descriptors are lacking, this says so.
            path.open("rb").close()
            raise ValueError(f"{path}: {error}") from error
        if index.get_current_count() != size:
            raise ValueError(f"{path}: has {index.get_current_count()} rows, not {size}")
        return Graph(index, repeats)

    def save(self, path: Path) -> None:
        """Write the graph, vectors included, to ``path``."""
        self._index.save_index(str(path))

    def search(self, query: NDArray[np.float32], k: int, ef: int) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """The ``k`` distinct rows nearest to ``query``, float32 [dim], nearest first, and their distances.

        Distances are hnswlib's: 1 - dot product for Cosine and Dot, the squared length of the difference for
        Euclid. At most ``size`` rows; fewer than min(k, size) where parts of the graph cannot be reached: the
        caller then searches exactly.

        hnswlib searches with max(its ef, k). Its ef belongs to the whole index, so it is left at the minimum and
        the search asks for max(k, ef) rows instead: every search has its own ef, and none waits for another.
        """
        wanted = min(max(k, ef), self.size)
        while wanted > 0:
            try:
                labels, distances = self._index.knn_query(query, k=wanted, num_threads=1)
            except RuntimeError:  # hnswlib found fewer rows than it was asked for
                wanted //= 2
                continue
            return labels[0, :k].astype(np.uint32), distances[0, :k]
        return np.empty(0, np.uint32), np.empty(0, np.float32)
