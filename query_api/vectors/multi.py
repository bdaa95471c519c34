"""Multivectors compared by max_sim: for each of the query's vectors the most similar one, summed.

Under Euclid what is summed is the squared distance to the nearest one, and the score is the root of the sum.
"""

import numpy as np
from numpy.typing import NDArray

from projector.kernel import max_sim_nearest, max_sim_scores
from projector.segments.graph import Graph
from projector.vectors.multi import MultiVectors
from query_api.find.division import Asked, Division
from query_api.find.selection import Findable
from query_api.find.strategy import WalkPlan
from query_api.find.walks import GraphWalk
from query_api.plan.leaves import QuantizedSearch
from query_api.vectors.comparison import Floats, PartQuery
from schemas.errors import BadInputError
from schemas.vectors.multi import MultiKind
from schemas.vectors.normalise import normalise
from schemas.vectors.params import Datatype, Distance

_VALUES_PER_US = 12000.0


class MultiComparison:
    """One query of one or more vectors."""

    def __init__(self, kind: MultiKind, vector: bytes) -> None:
        """``vector``: as a stored point holds it. Raises BadInputError for vectors of another size."""
        values = np.frombuffer(vector, kind.dtype)
        if not len(values) or len(values) % kind.dim:
            raise BadInputError(f"Wrong input: Vector dimension error: expected dim: {kind.dim}, got {len(values)}")
        query = values.reshape(-1, kind.dim).astype(np.float32)
        self.higher_is_nearer = kind.distance.higher_is_nearer
        self.squared = kind.distance is Distance.EUCLID
        self._measure = kind.distance.lower()
        # What float16 keeps is normalised already, and rounded since.
        normalised = kind.distance is Distance.COSINE and kind.datatype is not Datatype.FLOAT16
        self._query = normalise(query) if normalised else query

    def nearest(self, vectors: MultiVectors, query: PartQuery) -> tuple[NDArray[np.integer], Floats]:
        """The nearest of all rows that may be found, by comparing them all."""
        found = query.found
        query.allowance.spend(self.us(vectors, found))
        chosen = found.chosen()
        rows, scores = max_sim_nearest(vectors.items, vectors.ends, self._measure, self._query, query.wanted, chosen)
        query.note("exact", "multivectors have no graph", found.count, len(rows))
        return rows, scores

    def plan(self, graph: Graph, asked: Asked) -> None:
        """There are no graphs of these."""

    def walk(self, graph: Graph, asked: Asked, plan: WalkPlan) -> GraphWalk:
        """There are no graphs of these."""
        raise NotImplementedError

    def joint(self, division: Division, wanted: int, quantization: QuantizedSearch) -> None:
        """It is not done together."""

    def us(self, vectors: MultiVectors, found: Findable) -> float:
        """About how long comparing all that may be found takes."""
        values = vectors.items.size * len(self._query)
        return values * (found.count / max(1, found.rows)) / _VALUES_PER_US

    def scores(self, vectors: MultiVectors, rows: NDArray[np.int64]) -> Floats:
        """The scores of some rows."""
        return max_sim_scores(vectors.items, vectors.ends, self._measure, self._query, rows)
