"""Made-up vectors: dense ones in clusters, sparse ones with terms as frequent as words are."""

import numpy as np
from numpy.typing import NDArray

from schemas.vectors.sparse import PAIR

TERMS = 60_000
CLUSTERS = 1000
SparseVector = tuple[NDArray[np.uint32], NDArray[np.float32]]
"""Terms, ascending, and their values."""


def clustered(count: int, dim: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Vectors in a thousand clusters, as texts' are: float32 [count, dim]."""
    centres = random.normal(size=(CLUSTERS, dim))
    return (centres[random.integers(0, CLUSTERS, count)] + 0.7 * random.normal(size=(count, dim))).astype(np.float32)


def documents(count: int, usual: int, random: np.random.Generator) -> list[SparseVector]:
    """Sparse vectors of ``usual`` terms or so, as frequent as words are (Zipf)."""
    weights = 1.0 / np.arange(3, TERMS + 3)
    cumulated = np.cumsum(weights / weights.sum())
    found: list[SparseVector] = []
    for length in random.poisson(usual, count).tolist():
        terms = np.unique(np.searchsorted(cumulated, random.random(max(1, length)))).astype(np.uint32)
        found.append((terms, (0.5 + random.random(len(terms))).astype(np.float32)))
    return found


def pairs_bytes(vector: SparseVector) -> bytes:
    """A sparse vector as it is stored."""
    terms, values = vector
    pairs = np.empty(len(terms), PAIR)
    pairs["index"], pairs["value"] = terms, values
    return pairs.tobytes()
