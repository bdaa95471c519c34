"""Means of examples, by the kind of their vectors: what the strategy ``average_vector`` looks for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.vectors.params import AnyVectorParams, SparseVectorParams
from schemas.vectors.sparse import PAIR

Held = NDArray[Any]
"""A vector as parts hold it (``schemas.vectors.answered``)."""


def average(params: AnyVectorParams, positive: Sequence[Held], negative: Sequence[Held]) -> Held:
    """As far beyond the mean of the positive ones, of which there are some, as the negative ones' is on the other side.

    Multivectors have no mean: what is looked for is like all the positive ones' vectors, unlike the negative ones'.
    """
    if isinstance(params, SparseVectorParams):
        return _of_sparse(positive, negative)
    first, second = _floats(positive), _floats(negative)
    if params.multivector_config is not None:
        return np.concatenate([*first, *(-rows for rows in second)])
    return _beyond(first, second)


def _floats(vectors: Sequence[Held]) -> list[NDArray[np.float32]]:
    return [vector.astype(np.float32) for vector in vectors]


def _beyond(positive: Sequence[NDArray[np.float32]], negative: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    mean = _mean(positive)
    return mean + mean - _mean(negative) if negative else mean


def _mean(rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    total = rows[0].copy()
    for row in rows[1:]:
        total += row
    return total / np.float32(len(rows))


def _of_sparse(positive: Sequence[Held], negative: Sequence[Held]) -> Held:
    indices = np.unique(np.concatenate([pairs["index"] for pairs in (*positive, *negative)]))

    def rows(vectors: Sequence[Held]) -> list[NDArray[np.float32]]:
        spread = np.zeros((len(vectors), len(indices)), np.float32)
        for row, pairs in zip(spread, vectors, strict=True):
            row[np.searchsorted(indices, pairs["index"])] = pairs["value"]
        return list(spread)

    averaged = np.empty(len(indices), PAIR)
    averaged["index"], averaged["value"] = indices, _beyond(rows(positive), rows(negative))
    return averaged
