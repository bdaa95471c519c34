"""What the engine is asked, and what it answers with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.filters import Filter
from schemas.ids import PointId
from schemas.json_path import Path


@dataclass(frozen=True, slots=True)
class PayloadInclude:
    """Only what these payload keys lead to."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class PayloadExclude:
    """Everything but what these payload keys lead to."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What to fetch of a point: the payload or parts of it; all vectors, none, or those of some names."""

    with_payload: bool | PayloadInclude | PayloadExclude = True
    with_vector: bool | tuple[str, ...] = False


@dataclass(slots=True, eq=False)
class FetchedPoint:
    """A point as answered.

    ``payload`` is a JSON object's bytes, None when not asked for. ``vectors``, None when not asked for, are float32
    [dim], read-only by agreement: they may lie in a memory-mapped file. Those under Cosine are normalised.
    """

    id: PointId
    version: int
    payload: bytes | None
    vectors: dict[str, NDArray[np.float32]] | None
    score: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NearestQuery:
    """The points nearest to ``vector``, float32 [dim], by the vectors named ``using``.

    ``score_threshold`` leaves out what is less near. ``hnsw_ef``: None for the collection's ef_construct. ``exact``
    compares with every vector. ``indexed_only`` leaves out large parts that have no graph yet. ``excluded`` is the
    point whose vector this is, which is not its own answer.
    """

    vector: NDArray[np.float32]
    using: str
    limit: int
    offset: int = 0
    filter: Filter | None = None
    score_threshold: float | None = None
    hnsw_ef: int | None = None
    exact: bool = False
    indexed_only: bool = False
    excluded: PointId | None = None

    @property
    def wanted(self) -> int:
        """How many hits it takes to answer."""
        return self.limit + self.offset
