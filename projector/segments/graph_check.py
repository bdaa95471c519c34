"""Whether a graph leads to its own rows: some of them are searched through it and exactly."""

from math import ceil

import msgspec
import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from schemas.config import Distance

LEAST_SAMPLE, MOST_SAMPLE = 250, 400
SAMPLED = 200
"""One row of so many is searched for, within these bounds; the more rows, the smaller a part of the build that is."""
FAR_CANDIDATES, FAR_SHARE = 1600, 8
"""So many rows are candidates for being far from the crowd, and one in eight is taken for it: with 200 of them, a graph
that misses one in twenty passes for one that misses one in fifty once in thirty times; with 50, once in four."""
FAR_NEIGHBOUR = 8
"""A row is far from the crowd when the 8th nearest of the other candidates is far from it."""

LEAST_OWN, LEAST_FAR = 0.99, 0.98
"""What must be found. Outliers are harder to reach in any graph, as few rows have them among their neighbours."""

USUAL_ROWS, FARTHER = 200_000, 1 / 3
"""In a graph of more rows searches look (rows / USUAL_ROWS) ** FARTHER times as far: what is found without that
becomes less the larger any graph is, and large ones would be built a second time, for several times as long, though
nothing is wrong with them.

Measured on made-up clusters, m 16 and ef_construct 100, of 3,000 rows: in a graph of 1,790,000 of them 0.982 at ef 100,
0.989 at 150, 0.995 at 200.
"""

_SEED = 20
_BLOCK_BYTES = 8 << 20
_TOLERANCE = 4e-6
_ROOM = float(np.finfo(np.float32).max) / 8
"""A squared length up to which a sum of two and of their products is a float32."""


class GraphQuality(msgspec.Struct, frozen=True):
    """Of sampled rows, and of sampled rows far from the crowd, the fraction whose nearest row the graph found."""

    own: float
    far: float

    @property
    def sufficient(self) -> bool:
        """Whether the graph can be relied on."""
        return self.own >= LEAST_OWN and self.far >= LEAST_FAR


def check_graph(graph: Graph, matrix: NDArray[np.float32], distance: Distance, ef: int) -> GraphQuality:
    """Search for rows of ``matrix``, float32 [rows, dim], that the graph was built over, by their own vectors.

    Which rows is the same every time for the same matrix. ``ef``: how far searches look that don't say, in a graph of
    USUAL_ROWS or fewer.
    """
    distinct = graph.repeats.distinct(len(matrix))
    ef = ceil(ef * max(1.0, len(distinct) / USUAL_ROWS) ** FARTHER)
    chance = np.random.default_rng(_SEED)
    size = min(max(len(distinct) // SAMPLED, LEAST_SAMPLE), MOST_SAMPLE)
    own = _sample(chance, distinct, size)
    far = _far(matrix, _sample(chance, distinct, FAR_CANDIDATES))
    queries = matrix[np.concatenate([own, far])]
    best, scale = _nearest(queries, matrix, distance)
    found = _reached(graph, queries, matrix, distance, ef)
    hits = found <= best + _TOLERANCE * scale
    return GraphQuality(float(hits[: len(own)].mean()), float(hits[len(own) :].mean()))


def _sample(chance: np.random.Generator, rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    return rows if len(rows) <= most else np.sort(chance.choice(rows, most, replace=False))


def _far(matrix: NDArray[np.float32], candidates: NDArray[np.int64]) -> NDArray[np.int64]:
    rows = matrix[candidates].astype(np.float64)
    squares = np.einsum("ij,ij->i", rows, rows)
    distances = squares[:, np.newaxis] + squares - 2 * (rows @ rows.T)
    np.fill_diagonal(distances, np.inf)
    place = min(FAR_NEIGHBOUR, len(candidates)) - 1
    neighbour = np.partition(distances, place, axis=1)[:, place]
    return candidates[np.argsort(-neighbour, kind="stable")[: max(len(candidates) // FAR_SHARE, 1)]]


def _reached(
    graph: Graph, queries: NDArray[np.float32], matrix: NDArray[np.float32], distance: Distance, ef: int
) -> NDArray[np.float64]:
    """How far the nearest row is that the graph finds for each query; infinitely, where it finds none."""
    found = [graph.search(query, 1, ef).rows[:1] for query in queries]
    asked = np.flatnonzero([len(rows) for rows in found])
    far = np.full(len(queries), np.inf)
    if len(asked):
        near = matrix[np.concatenate(found)].astype(np.float64)
        pairs = queries[asked].astype(np.float64)
        if distance is Distance.EUCLID:
            far[asked] = np.square(pairs - near).sum(axis=1)
        else:
            far[asked] = -np.einsum("ij,ij->i", pairs, near)
    return far


def _nearest(
    queries: NDArray[np.float32], matrix: NDArray[np.float32], distance: Distance
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far the nearest row is from each query, and the scale to which float32 is exact there.

    Where float32 has no room for what is computed, as with vectors as long as 1e19, that is done in float64.
    """
    best = np.full(len(queries), np.inf)
    longest = 0.0
    lengths = np.einsum("ij,ij->i", queries, queries, dtype=np.float64)
    is_wide = bool(lengths.max(initial=0.0) > _ROOM)
    step = max(1, _BLOCK_BYTES // (4 * matrix.shape[1]))
    for start in range(0, len(matrix), step):
        block: NDArray[np.floating] = matrix[start : start + step]
        squares: NDArray[np.floating] = np.einsum("ij,ij->i", block, block)
        if is_wide or squares.max() > _ROOM:
            block = block.astype(np.float64)
            squares = np.einsum("ij,ij->i", block, block)
        distances = _distances(queries, lengths.astype(squares.dtype), block, squares, distance)
        np.minimum(best, distances.min(axis=1), out=best)
        longest = max(longest, float(squares.max()))
    scale = lengths if distance is Distance.EUCLID else np.sqrt(lengths * longest)
    return best, scale


def _distances(
    queries: NDArray[np.float32],
    lengths: NDArray[np.floating],
    rows: NDArray[np.floating],
    squares: NDArray[np.floating],
    distance: Distance,
) -> NDArray[np.floating]:
    """Smaller is nearer: minus the dot product, for Euclid the squared length of the difference.

    ``lengths`` and ``squares``: squared lengths of the queries and of the rows.
    """
    products = queries @ rows.T
    if distance is not Distance.EUCLID:
        return -products
    return lengths[:, np.newaxis] + squares - 2 * products
