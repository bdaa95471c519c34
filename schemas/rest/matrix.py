"""Distances among a sample of points."""

from typing import Annotated

import msgspec

from schemas.rest.points import JsonFilter
from schemas.rest.reads import MAX_INTEGER, AtLeastOne
from schemas.rest.shard_keys import ShardKeySelector

DEFAULT_SAMPLE = 10
DEFAULT_NEAREST = 3


class MatrixRequest(msgspec.Struct):
    """How many points to take by chance, and how many of the others, the nearest, to tell of each."""

    filter: JsonFilter | None = None
    sample: Annotated[int, msgspec.Meta(ge=2, le=MAX_INTEGER)] | None = None
    limit: AtLeastOne | None = None
    using: str | None = None
    shard_key: ShardKeySelector | None = None


class MatrixPair(msgspec.Struct, gc=False):
    """Two points, and the score of ``b`` for the vector of ``a``."""

    a: int | str
    b: int | str
    score: float


class MatrixPairs(msgspec.Struct):
    """All pairs."""

    pairs: list[MatrixPair]


class MatrixOffsets(msgspec.Struct):
    """The same as a sparse matrix: rows and columns by their places in ``ids``."""

    offsets_row: list[int]
    offsets_col: list[int]
    scores: list[float]
    ids: list[int | str]
