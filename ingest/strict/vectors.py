"""Limits on the points of one operation: how many, and how large their vectors."""

import numpy as np

from schemas.errors import BadInputError
from schemas.operations import UpdateVectors, Upsert
from schemas.strict.refusals import check_limit
from schemas.strict_mode import StrictModeConfig
from schemas.vectors.multi import MultiColumn
from schemas.vectors.ragged import LENGTH
from schemas.vectors.sparse import SparseColumn


def check_points(strict: StrictModeConfig, operation: Upsert | UpdateVectors) -> None:
    """Raise BadInputError for more points, or larger vectors, than the collection allows."""
    name = "upsert limit" if isinstance(operation, Upsert) else "update limit"
    check_limit(name, len(operation.ids), strict.upsert_max_batchsize)
    for name, column in operation.vectors.items():
        if isinstance(column, MultiColumn):
            multi = (strict.multivector_config or {}).get(name)
            _check_lengths("Multivector", name, column.lengths, "vectors", multi and multi.max_vectors)
        elif isinstance(column, SparseColumn):
            sparse = (strict.sparse_config or {}).get(name)
            _check_lengths("Sparse vector", name, column.lengths, "indices", sparse and sparse.max_length)


def _check_lengths(what: str, name: str, lengths: bytes, items: str, most: int | None) -> None:
    counts = np.frombuffer(lengths, LENGTH)
    longest = int(counts.max()) if len(counts) else 0
    if most is not None and longest > most:
        raise BadInputError(f"Bad request: {what} '{name}' has a limit of {most} {items}, but {longest} were provided!")
