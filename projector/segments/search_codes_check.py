"""Whether walks by search codes lead as far as walks by vectors do.

They don't where few values of each vector are many times as large as the others, and these decide what is near: then
walks are by the vectors.
"""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelCodedQuery, KernelSearchCodes, nearest
from projector.segments.graph import Graph
from schemas.config import Distance

WANTED = 10
SAMPLE, COARSE_SAMPLE = 50, 25
COARSEST = 0.05
"""What share of rows, of those with the largest scales, is asked for apart: few rows that lie close together, far from
all others, would not be noticed among these."""
LEAST_SHARE = 0.98
"""Of what walks by vectors find. Measured on word vectors: 0.995 to 1.003 of it at ef 64 to 256."""
_SEED = 30


def leads_as_far(graph: Graph, matrix: NDArray[np.float32], distance: Distance, ef: int) -> bool:
    """Search for what is nearest to some rows of ``matrix``, float32 [rows, dim], which the graph was built over.

    ``ef``: how far searches look that don't say. Which rows are asked for is the same every time for the same matrix.
    """
    search_codes = graph.search_codes
    assert search_codes is not None
    rng = np.random.default_rng(_SEED)
    rows = rng.choice(len(matrix), min(SAMPLE, len(matrix)), replace=False)
    coarse = np.argsort(-search_codes.scales(), kind="stable")[: ceil(len(matrix) * COARSEST)]
    coarse = rng.choice(coarse, min(COARSE_SAMPLE, len(coarse)), replace=False)
    return all(_leads_to(graph, search_codes.kernel, matrix, distance, ef, some) for some in (rows, coarse))


def _leads_to(
    graph: Graph,
    search_codes: KernelSearchCodes,
    matrix: NDArray[np.float32],
    distance: Distance,
    ef: int,
    rows: NDArray[np.integer],
) -> bool:
    """The same of what is nearest to these rows."""
    by_vectors = by_codes = 0
    for row in np.sort(rows):
        query = np.ascontiguousarray(matrix[row])
        codes = search_codes.query(query)
        if codes is None:
            return False
        _, right = nearest(matrix, distance.lower(), query, WANTED, codes=search_codes)
        worst = float(right.min() if distance.higher_is_nearer else right.max())
        by_vectors += _found(graph, distance, query, ef, worst, None)
        by_codes += _found(graph, distance, query, ef, worst, codes)
    return by_codes >= LEAST_SHARE * by_vectors


def _found(
    graph: Graph,
    distance: Distance,
    query: NDArray[np.float32],
    ef: int,
    worst: float,
    codes: KernelCodedQuery | None,
) -> int:
    """How many rows at least as near as ``worst`` a walk leads to, of WANTED."""
    finish = graph.rescoring.finish(query, WANTED, None, codes)
    asked = query if codes is None else codes.bytes
    near = graph.search(asked, WANTED, ef, coded=codes is not None, finish=finish).distances
    return min(WANTED, int(np.count_nonzero(near >= worst if distance.higher_is_nearer else near <= worst)))
