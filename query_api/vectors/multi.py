"""Multivectors compared by max_sim: for each of the query's vectors the most similar one, summed.

Under Euclid what is summed is the squared distance to the nearest one, and the score is the root of the sum.
"""

import numpy as np
from numpy.typing import NDArray

from projector.vectors.multi import MultiVectors
from query_api.find.selection import Findable
from query_api.vectors.comparison import Floats, PartQuery, best
from query_api.vectors.dense import widened_rows
from schemas.errors import BadInputError
from schemas.vectors.multi import MultiKind
from schemas.vectors.normalise import normalise
from schemas.vectors.params import Datatype, Distance, VectorParams

_VALUES_PER_US = 400.0
_BLOCK_VALUES = 1 << 18
_LARGEST = float(np.finfo(np.float32).max)


class MultiComparison:
    """One query of one or more vectors."""

    def __init__(self, params: VectorParams, vector: bytes) -> None:
        """``vector``: as a stored point holds it. Raises BadInputError for vectors of another size."""
        kind = MultiKind(params)
        values = np.frombuffer(vector, kind.dtype)
        if not len(values) or len(values) % kind.dim:
            raise BadInputError(f"Wrong input: Vector dimension error: expected dim: {kind.dim}, got {len(values)}")
        query = values.reshape(-1, kind.dim).astype(np.float32)
        self._distance = params.distance
        self.higher_is_nearer = params.distance.higher_is_nearer
        self.squared = params.distance is Distance.EUCLID
        self._normalised = params.distance is Distance.COSINE and kind.datatype is not Datatype.FLOAT16
        self._query = (normalise(query) if self._normalised else query).astype(np.float64)

    def nearest(self, vectors: MultiVectors, query: PartQuery) -> tuple[NDArray[np.integer], Floats]:
        """The nearest of all rows that may be found."""
        found = query.found
        query.allowance.spend(self.us(vectors, found))
        rows = np.arange(vectors.rows) if found.everything else found.passing_rows()
        scores = self.scores(vectors, rows)
        query.note("exact", "multivectors have no graph", len(rows), len(rows))
        chosen = best(scores if self.higher_is_nearer else -scores, query.wanted)
        return rows[chosen], scores[chosen]

    def us(self, vectors: MultiVectors, found: Findable) -> float:
        """About how long comparing all that may be found takes."""
        values = vectors.items.size * len(self._query)
        return values * (found.count / max(1, found.rows)) / _VALUES_PER_US

    def scores(self, vectors: MultiVectors, rows: NDArray[np.int64]) -> Floats:
        """The scores of some rows."""
        scores = np.empty(len(rows), np.float32)
        lengths = np.diff(vectors.ends)[rows]
        values = np.cumsum(lengths) * max(1, vectors.items.shape[1])
        start = 0
        while start < len(rows):
            done = int(values[start - 1]) if start else 0
            stop = max(start + 1, int(np.searchsorted(values, done + _BLOCK_VALUES, "right")))
            scores[start:stop] = self._block(vectors, rows[start:stop])
            start = stop
        return scores

    def _block(self, vectors: MultiVectors, rows: NDArray[np.int64]) -> Floats:
        taken = vectors.take(rows)
        items = widened_rows(taken.items, normalised=self._normalised)
        near = np.zeros(len(rows), np.float64)
        for query in self._query:
            near += np.maximum.reduceat(self._similarity(items, query), taken.ends[:-1])
        return self._as_scores(near)

    def _as_scores(self, near: NDArray[np.float64]) -> Floats:
        if self._distance is Distance.EUCLID:
            near = np.sqrt(np.maximum(-near, 0.0))
        elif self._distance is Distance.MANHATTAN:
            near = -near
        return np.clip(near, -_LARGEST, _LARGEST).astype(np.float32)

    def _similarity(self, items: NDArray[np.float64], query: NDArray[np.float64]) -> NDArray[np.float64]:
        match self._distance:
            case Distance.COSINE | Distance.DOT:
                return items @ query
            case Distance.EUCLID:
                difference = items - query
                return -np.einsum("ij,ij->i", difference, difference)
            case Distance.MANHATTAN:
                return -np.abs(items - query).sum(axis=1)
