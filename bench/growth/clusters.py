"""Clusters of vectors, made a chunk at a time: the same chunk is the same whenever it is made, so none need be kept."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

CHUNK = 10_000
DIGITS = 5
"""Decimals that are made and sent."""
SEED = 11
CLUSTERS, SPREAD = 1000, 1.5
"""Clusters are that much wider than their centres lie apart, so that they overlap as those of words do."""
QUERIES = 1000
K = 10


@dataclass(frozen=True)
class Clusters:
    """Points around centres, which vary along the first dimensions more than along the last, as those of words do."""

    centres: Floats
    scales: Floats

    @classmethod
    def of(cls, dim: int) -> "Clusters":
        """Those of so many dimensions."""
        scales = (np.arange(1, dim + 1) ** -0.5).astype(np.float32)
        centres = np.random.default_rng(SEED).standard_normal((CLUSTERS, dim), np.float32)
        return cls(centres * scales, scales)

    def chunk(self, number: int, count: int = CHUNK) -> Floats:
        """The first ``count`` points of a chunk, float32 [count, dim]."""
        return self._made(np.random.default_rng((SEED, number)), CHUNK)[:count]

    def queries(self) -> Floats:
        """More of the same that are not among the points, float32 [1000, dim]."""
        return self._made(np.random.default_rng((SEED, 1 << 40)), QUERIES)

    def chunks(self, points: int, first: int = 0) -> Iterator[tuple[int, Floats]]:
        """The number of each chunk's first point, and its points; ``first`` is the first of a chunk."""
        for start in range(first, points, CHUNK):
            yield start, self.chunk(start // CHUNK, min(CHUNK, points - start))

    def right(self, points: int) -> Ids:
        """The nearest 10 by cosine of each query, int64 [queries, 10]; memory grows with the chunk alone."""
        queries = normalised(self.queries())
        best = np.full((QUERIES, K), -np.inf, np.float32)
        ids = np.zeros((QUERIES, K), np.int64)
        for start, some in self.chunks(points):
            scores = np.concatenate((best, queries @ normalised(some).T), axis=1)
            numbers = np.arange(start, start + len(some))
            among = np.concatenate((ids, np.broadcast_to(numbers, (QUERIES, len(some)))), axis=1)
            kept = np.argpartition(-scores, K - 1, axis=1)[:, :K]
            best, ids = np.take_along_axis(scores, kept, axis=1), np.take_along_axis(among, kept, axis=1)
        return ids

    def _made(self, random: np.random.Generator, count: int) -> Floats:
        of = random.integers(0, CLUSTERS, count)
        noise = random.standard_normal((count, len(self.scales)), np.float32)
        return np.round(self.centres[of] + SPREAD * self.scales * noise, DIGITS).astype(np.float32)


def normalised(vectors: Floats) -> Floats:
    """Each row at length 1."""
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
