"""How alike a few fetched vectors of one name are: larger is nearer; for Euclid, minus the squared distances."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.kernel import scores
from schemas.vectors.normalise import normalise
from schemas.vectors.params import Datatype, Distance, VectorParams

Fetched = Sequence[NDArray[Any]]
"""Vectors of one kind as parts hold them (``schemas.vectors.answered``), none missing."""
Near = NDArray[np.float64]

_VALUES_PER_US = 1200.0
_CALL_US = 20.0


class Alike:
    """The vectors of some hits; ``params`` are those of their name, None when they are sparse."""

    def __init__(self, params: VectorParams | None, vectors: Fetched) -> None:
        self.squared = params is not None and params.distance is Distance.EUCLID
        self._to = _sparse(vectors) if params is None else _dense(params, vectors)
        longest = max((len(vector) for vector in vectors if vector.ndim > 1), default=1)
        self.us = _CALL_US + sum(vector.size for vector in vectors) * longest / _VALUES_PER_US
        """About how long ``to`` takes, in microseconds."""

    def to(self, row: int) -> NDArray[np.float32]:
        """How near one vector is to each of all, were that the query: [vectors], to the precision of scores."""
        return self._to(row).astype(np.float32)


def _dense(params: VectorParams, vectors: Fetched) -> Callable[[int], Near]:
    """Dense vectors, and multivectors: for each of those that are compared the nearest one of a query's vectors."""
    parts = [vector.reshape(-1, params.size) for vector in vectors]
    items, measure, distance = np.concatenate(parts), params.distance.lower(), params.distance
    starts = np.cumsum([0, *map(len, parts)])
    one_each = len(items) == len(parts)
    normalised = distance is Distance.COSINE and params.datatype is Datatype.UINT8

    def to(row: int) -> Near:
        queries = items[starts[row] : starts[row + 1]].astype(np.float32)
        scored = scores(items, measure, normalise(queries) if normalised else queries).astype(np.float64)
        if distance is Distance.EUCLID:
            scored *= scored
        nearest = scored.max(axis=0) if distance.higher_is_nearer else -scored.min(axis=0)
        return nearest if one_each else np.add.reduceat(nearest, starts[:-1])

    return to


def _sparse(vectors: Fetched) -> Callable[[int], Near]:
    pairs = np.concatenate(vectors)
    indices, places = np.unique(pairs["index"], return_inverse=True)
    owners = np.repeat(np.arange(len(vectors)), [len(vector) for vector in vectors])
    values = pairs["value"].astype(np.float64)

    def to(row: int) -> Near:
        mine = owners == row
        weights = np.zeros(len(indices))
        weights[places[mine]] = values[mine]
        return np.bincount(owners, values * weights[places], minlength=len(vectors)).astype(np.float64)

    return to
