"""The nearest vectors of one part."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from projector.view.part import Part, Vectors, slots_of_rows
from query_api.budget import Allowance
from query_api.find.selection import Findable
from query_api.find.strategy import skipped_as_unindexed, walk_for
from query_api.plan.leaves import Nearest
from query_api.vectors.comparison import Comparison, Floats, PartQuery
from schemas.config import CollectionConfig


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Slots of a part with their scores, in no order; the nearest ones, and a few more where scores are close."""

    part: Part
    place: int
    slots: NDArray[np.int64]
    scores: Floats


@dataclass(frozen=True, slots=True, eq=False)
class PartSearch:
    """What is to be compared in one part, whose first slot has ``place``; ``graph``: None where none is used."""

    part: Part
    place: int
    vectors: Vectors
    found: Findable
    graph: Graph | None
    exact: bool

    def us(self, comparison: Comparison, ef: int) -> float:
        """How long that takes, in microseconds."""
        walk = None if self.graph is None else walk_for(self.found, ef)
        return comparison.us(self.vectors, self.found) if walk is None else walk.us

    def run(self, comparison: Comparison, wanted: int, ef: int, allowance: Allowance) -> Candidates:
        """At least the ``wanted`` nearest. Raises OverEstimateError, TimedOutError."""
        if allowance.notes is not None:
            allowance.notes.begin(self.part.name, self.part.alive_count)
        query = PartQuery(self.found, self.graph, self.exact, wanted, ef, allowance)
        rows, scores = comparison.nearest(self.vectors, query)
        return Candidates(self.part, self.place, slots_of_rows(self.vectors, rows), scores)


def search_of(config: CollectionConfig, part: Part, place: int, leaf: Nearest) -> PartSearch | None:
    """What a leaf compares in a part; None when that is nothing."""
    vectors = part.vectors(leaf.using)
    if vectors is None:
        return None
    found = Findable(part, vectors, leaf.filter)
    graph = None if leaf.exact else part.graph(leaf.using)
    if graph is None and skipped_as_unindexed(config, leaf, found.rows):
        return None
    return PartSearch(part, place, vectors, found, graph, leaf.exact) if found.count else None
