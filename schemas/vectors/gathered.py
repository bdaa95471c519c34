"""Columns of vectors that were read one by one from where they are kept."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.vectors.dense import DenseColumn, DenseKind
from schemas.vectors.multi import MultiColumn
from schemas.vectors.params import AnyVectorParams
from schemas.vectors.ragged import LENGTH
from schemas.vectors.registry import VectorColumn, kind_of
from schemas.vectors.sparse import SparseColumn, SparseKind


def gathered(params: AnyVectorParams, values: Sequence[NDArray[Any]], rows: list[int] | None) -> VectorColumn:
    """The column of ``values``, each as parts hold it (``schemas.vectors.answered``), for the points ``rows``."""
    kind = kind_of(params)
    data = b"".join(value.tobytes() for value in values)
    if isinstance(kind, DenseKind):
        return DenseColumn(kind.dim, data, rows, kind.datatype, kind.position)
    lengths = np.array([len(value) for value in values], LENGTH).tobytes()
    if isinstance(kind, SparseKind):
        return SparseColumn(lengths, data, rows, kind.position)
    return MultiColumn(kind.dim, lengths, data, rows, kind.datatype, kind.position)
