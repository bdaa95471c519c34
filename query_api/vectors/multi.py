"""Multivectors compared by max_sim: for each of the query's vectors the most similar one, summed.

Under Euclid what is summed is the squared distance to the nearest one, and the score is the root of the sum.
"""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from projector.vectors.multi import MultiVectors
from projector.vectors.ragged import Ragged
from query_api.find.selection import Findable
from query_api.vectors.comparison import Asked, Floats, PartQuery, best
from query_api.vectors.dense import widened_rows
from schemas.errors import BadInputError
from schemas.vectors.multi import MultiKind
from schemas.vectors.normalise import normalise
from schemas.vectors.params import Datatype, Distance, VectorParams

_VALUES_PER_US = 6000.0
_ERROR = 5e-7
_ROUGH_ABOVE = 2
"""Of how many times the wanted rows it is worth while to compare them roughly first."""
_BLOCK_VALUES = 1 << 18
"""What is compared at a time: few enough to stay in a core's cache."""
_ROUGH_VALUES = 1 << 20
"""The same of one product of matrices: each costs the threads of the linear algebra a meeting."""
RealT = TypeVar("RealT", bound=np.floating)
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
        self._narrow = normalise(query) if self._normalised else query
        self._query = self._narrow.astype(np.float64)
        self._squares = np.einsum("ij,ij->i", self._narrow, self._narrow)

    def nearest(self, vectors: MultiVectors, query: PartQuery) -> tuple[NDArray[np.integer], Floats]:
        """The nearest of all rows that may be found: all are compared roughly, those that are near exactly."""
        found = query.found
        query.allowance.spend(self.us(vectors, found))
        rows = np.arange(vectors.rows) if found.everything else found.passing_rows()
        compared = len(rows)
        if self._distance is not Distance.MANHATTAN and compared > _ROUGH_ABOVE * query.wanted:
            rows = rows[self._near(vectors, rows, query.wanted)]
        scores = self.scores(vectors, rows)
        query.note("exact", "multivectors have no graph", compared, len(rows))
        chosen = best(scores if self.higher_is_nearer else -scores, query.wanted)
        return rows[chosen], scores[chosen]

    def _near(self, vectors: MultiVectors, rows: NDArray[np.int64], wanted: int) -> NDArray[np.bool_]:
        """Which of some rows may be among the ``wanted`` nearest, by products in float32."""
        near = np.empty(len(rows), np.float32)
        norm = 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            for some in self._blocks(vectors, rows, _ROUGH_VALUES):
                taken = _taken(vectors, rows[some])
                items = taken.items.astype(np.float32, copy=False)
                if self._normalised and taken.items.dtype == np.uint8:
                    items = normalise(items)
                products = items @ self._narrow.T
                squares = np.einsum("ij,ij->i", items, items)
                if self.squared:
                    products *= 2.0
                    products -= squares[:, np.newaxis]
                    products -= self._squares
                norm = max(norm, float(squares.max(initial=0.0)) ** 0.5)
                near[some] = _largest(products, taken.ends).sum(axis=1)
            lengths = np.sqrt(self._squares)
            scale = (lengths + norm) ** 2 if self.squared else lengths * norm
            tolerance = _ERROR * (4.0 + len(self._query) + vectors.items.shape[1] ** 0.5) * float(scale.sum())
            least = np.partition(near, len(near) - wanted)[len(near) - wanted] - np.float32(tolerance)
            # Not ">= least": where float32 overflowed to NaN, the exact scores decide.
            return ~(near < least)

    def walk(self, graph: Graph, asked: Asked) -> None:
        """There are no graphs of these."""

    def us(self, vectors: MultiVectors, found: Findable) -> float:
        """About how long comparing all that may be found takes."""
        values = vectors.items.size * len(self._query)
        return values * (found.count / max(1, found.rows)) / _VALUES_PER_US

    def scores(self, vectors: MultiVectors, rows: NDArray[np.int64]) -> Floats:
        """The scores of some rows."""
        scores = np.empty(len(rows), np.float32)
        for some in self._blocks(vectors, rows, _BLOCK_VALUES):
            scores[some] = self._block(vectors, rows[some])
        return scores

    @staticmethod
    def _blocks(vectors: MultiVectors, rows: NDArray[np.int64], most: int) -> Iterator[slice]:
        """Places of rows, those together that have about so many values."""
        lengths = np.diff(vectors.ends)[rows]
        values = np.cumsum(lengths) * max(1, vectors.items.shape[1])
        start = 0
        while start < len(rows):
            done = int(values[start - 1]) if start else 0
            stop = max(start + 1, int(np.searchsorted(values, done + most, "right")))
            yield slice(start, stop)
            start = stop

    def _block(self, vectors: MultiVectors, rows: NDArray[np.int64]) -> Floats:
        taken = _taken(vectors, rows)
        items = widened_rows(taken.items, normalised=self._normalised)
        if self.higher_is_nearer:
            return self._as_scores(_largest(items @ self._query.T, taken.ends).sum(axis=1))
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
        difference = items - query
        if self.squared:
            return -np.einsum("ij,ij->i", difference, difference)
        return -np.abs(difference).sum(axis=1)


def _taken(vectors: MultiVectors, rows: NDArray[np.int64]) -> Ragged:
    """Some rows, ascending; without a copy where none between them is left out."""
    first, last = int(rows[0]), int(rows[-1])
    if last - first + 1 != len(rows):
        return vectors.take(rows)
    ends = vectors.ends[first : last + 2]
    return Ragged(vectors.items[ends[0] : ends[-1]], ends - ends[0], None)


def _largest(products: NDArray[RealT], ends: NDArray[np.int64]) -> NDArray[RealT]:
    """Of each value's vectors the largest product with each of the query's: [values, query]."""
    length = int(ends[1] - ends[0])
    if len(products) == length * (len(ends) - 1) and (np.diff(ends) == length).all():
        return products.reshape(-1, length, products.shape[1]).max(axis=1)
    return np.maximum.reduceat(products, ends[:-1], axis=0)
