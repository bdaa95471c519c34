"""What the read path needs from whoever holds the shards of a collection. Today that is this process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ingest.deadline import Deadline
from ingest.log import Topic
from ingest.ports import CollectionEntry, StoredSize
from query_api.budget import Budget
from query_api.explain import Notes
from query_api.hits import Hit
from query_api.plan.facet import Facet, FacetValue
from query_api.plan.leaves import Leaf
from query_api.plan.selection import Selection
from query_api.plan.terms import CountTerms
from query_api.points import FetchedPoint, Values
from schemas.filters import Filter
from schemas.json_path import Path
from schemas.vectors.idf import TermCounts


class CollectionStatus(StrEnum):
    """Green: segments are as their policy wants them. Yellow: some are being built. Grey: some wait to be."""

    GREEN = "green"
    YELLOW = "yellow"
    GREY = "grey"
    RED = "red"


@dataclass(frozen=True, slots=True)
class CollectionCounts:
    """A collection in numbers. ``queued``: records accepted but not yet applied."""

    points: int
    indexed_vectors: int
    segments: int
    status: CollectionStatus
    optimizer_error: str | None = None
    queued: int = 0


@dataclass(frozen=True, slots=True)
class ShardBuild:
    """How far a shard's segments are. ``segments``: name and points of each, those of points without one included.

    ``progress``: the part that is done of what is being built, from 0 to 1; None where nothing is, as far as is known
    here.
    """

    segments: tuple[tuple[str, int], ...]
    up_to_date: bool
    progress: float | None = None


class Shard(Protocol):
    """A shard as it was when it was asked for: everything that is read through one of these agrees."""

    @property
    def points(self) -> int:
        """How many points there are."""
        ...

    def size(self) -> StoredSize:
        """How much there is."""
        ...

    async def find(self, leaf: Leaf, budget: Budget, notes: Notes | None = None) -> list[Hit]:
        """What ``leaf`` asks for, in the order of answers. ``notes`` are told how it was found.

        Raises BadInputError for a leaf that doesn't fit the collection, TimedOutError.
        """
        ...

    async def fetch(self, hits: Sequence[Hit], selection: Selection, budget: Budget) -> list[FetchedPoint]:
        """The points that this shard found. Raises UnprocessableError when they are too large, TimedOutError."""
        ...

    async def values(self, hits: Sequence[Hit], by: Path, budget: Budget) -> list[Values]:
        """The strings and integers that points which this shard found have at a path.

        Raises UnprocessableError when they are too large, TimedOutError.
        """
        ...

    async def term_counts(self, asked: CountTerms, budget: Budget) -> TermCounts:
        """How many sparse vectors there are, and how many have each of some indices. Raises TimedOutError."""
        ...

    async def facet(self, facet: Facet, budget: Budget) -> Mapping[FacetValue, int]:
        """How many points have each value of a payload key, exactly. Raises TimedOutError."""
        ...

    async def count(self, filter: Filter | None, budget: Budget) -> int:
        """How many points pass, exactly. Raises TimedOutError."""
        ...


class Readers(Protocol):
    """The readers of collections' shards."""

    async def reach(self, topic: Topic, partition: int, offset: int, deadline: Deadline) -> None:
        """Return once these readers show the record at ``offset``, and the markers it caused.

        Raises TimedOutError at the ``deadline``.
        """
        ...

    def shards(self, entry: CollectionEntry) -> Sequence[Shard]:
        """Every shard as it is now. Raises NotFoundError when the collection is gone, UnavailableError."""
        ...

    async def counts(self, entry: CollectionEntry) -> CollectionCounts:
        """The collection in numbers. Raises as ``shards``."""
        ...

    def builds(self, entry: CollectionEntry) -> Sequence[ShardBuild]:
        """How far the segments of every shard are. Raises as ``shards``."""
        ...
