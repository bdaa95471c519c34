"""How alike vectors of one name are to one another, whatever their kind."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.vectors.kind import Stored
from projector.vectors.registry import part_kind
from query_api.vectors.comparison import closeness
from query_api.vectors.registry import comparison_of
from schemas.vectors.params import AnyVectorParams, Distance, VectorParams

_VALUES_PER_US = 200.0
_CALL_US = 20.0


class Alike:
    """A few vectors that are compared with one another."""

    def __init__(self, params: AnyVectorParams, vectors: Sequence[NDArray[Any]]) -> None:
        """``vectors``: as parts hold them."""
        self._params = params
        self._stored = [vector.tobytes() for vector in vectors]
        self._held = part_kind(params).block(Stored(b"".join(self._stored), list(map(len, self._stored))))
        self._rows = np.arange(len(vectors))
        self.squared = isinstance(params, VectorParams) and params.distance is Distance.EUCLID
        values = sum(vector.size for vector in vectors)
        largest = max((len(vector) if vector.ndim > 1 else 1 for vector in vectors), default=1)
        self.us = _CALL_US + values * largest / _VALUES_PER_US
        """About how long ``to`` takes, in microseconds."""

    def to(self, row: int) -> NDArray[np.floating]:
        """How near one is to all of them as queries: larger is nearer; for Euclid minus the squared distance."""
        comparison = comparison_of(self._params, self._stored[row])
        return closeness(comparison, comparison.scores_of_queries(self._held, self._rows))
