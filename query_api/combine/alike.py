"""How alike a few fetched vectors of one name are: larger is nearer; for Euclid, minus the squared distances."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.vectors.normalise import normalise
from schemas.vectors.params import Datatype, Distance, VectorParams

Fetched = Sequence[NDArray[Any]]
"""Vectors of one kind as parts hold them (``schemas.vectors.answered``), none missing."""
Matrix = NDArray[np.float64]

_VALUES_PER_US = 200.0
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


def _dense(params: VectorParams, vectors: Fetched) -> Callable[[int], Matrix]:
    """Dense vectors, and multivectors: for each of a query's vectors the nearest one of those that are compared."""
    parts = [vector.reshape(-1, params.size) for vector in vectors]
    items = np.concatenate(parts)
    if params.distance is Distance.COSINE and params.datatype is Datatype.UINT8:
        items = normalise(items.astype(np.float32))
    wide = items.astype(np.float64)
    starts = np.cumsum([0, *map(len, parts)])

    def to(row: int) -> Matrix:
        nearest = np.full(len(wide), -np.inf)
        for vector in wide[starts[row] : starts[row + 1]]:
            np.maximum(nearest, similarity(wide, vector, params.distance), out=nearest)
        return np.add.reduceat(nearest, starts[:-1])

    return to


def similarity(rows: Matrix, vector: Matrix, distance: Distance) -> Matrix:
    """How near rows, float64 [rows, dim], are to a vector, float64 [dim]."""
    if distance.higher_is_nearer:
        return rows @ vector
    difference = rows - vector
    if distance is Distance.EUCLID:
        return -np.einsum("ij,ij->i", difference, difference)
    return -np.abs(difference).sum(axis=1)


def _sparse(vectors: Fetched) -> Callable[[int], Matrix]:
    pairs = np.concatenate(vectors)
    indices, places = np.unique(pairs["index"], return_inverse=True)
    owners = np.repeat(np.arange(len(vectors)), [len(vector) for vector in vectors])
    values = pairs["value"].astype(np.float64)

    def to(row: int) -> Matrix:
        mine = owners == row
        weights = np.zeros(len(indices))
        weights[places[mine]] = values[mine]
        return np.bincount(owners, values * weights[places], minlength=len(vectors)).astype(np.float64)

    return to
