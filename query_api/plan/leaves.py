"""Leaves: what is asked of every shard by itself. Each finds at most ``limit`` points that pass ``filter``."""

import msgspec

from schemas.filters import Filter
from schemas.ids import PointId


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """What all leaves have. ``limit`` counts what an offset skips; ``filter`` is None where everything passes."""

    limit: int
    filter: Filter | None = None


class Nearest(Leaf, frozen=True, kw_only=True, tag="nearest"):
    """The points nearest to ``vector``, in the bytes of its kind, by the vectors named ``using``.

    ``score_threshold`` leaves out what is less near. ``hnsw_ef``: None for the collection's ef_construct. ``exact``
    compares with every vector. ``indexed_only`` leaves out large parts that have no graph yet. ``excluded`` are points
    that are no answers, as when this vector is theirs.
    """

    vector: bytes
    using: str
    score_threshold: float | None = None
    hnsw_ef: int | None = None
    exact: bool = False
    indexed_only: bool = False
    excluded: frozenset[PointId] = frozenset()

    @property
    def wanted(self) -> int:
        """How many of a part's nearest it takes to have ``limit`` hits."""
        return self.limit + len(self.excluded)


class Scroll(Leaf, frozen=True, kw_only=True, tag="scroll"):
    """Points in id order, from the id ``start`` on; each scores 1."""

    start: PointId | None = None


class Points(Leaf, frozen=True, kw_only=True, tag="points"):
    """The points of these ids, in id order; each scores 1."""

    ids: frozenset[PointId]
