"""The nearest vectors of one part."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from projector.view.part import Part, slots_of_rows
from query_api.budget import Allowance
from query_api.find.selection import Findable
from query_api.find.strategy import skipped_as_unindexed
from query_api.plan.leaves import Nearest
from query_api.vectors.comparison import Comparison, Floats, PartQuery
from schemas.config import CollectionConfig


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Slots of a part with their scores, in no order; the nearest ones, and a few more where scores are close."""

    part: Part
    slots: NDArray[np.int64]
    scores: Floats


def nearest_in_part(
    config: CollectionConfig, part: Part, leaf: Nearest, comparison: Comparison, ef: int, allowance: Allowance
) -> Candidates | None:
    """At least the ``leaf.wanted`` nearest of a part; None when there are none."""
    vectors = part.vectors(leaf.using)
    if vectors is None:
        return None
    found = Findable(part, vectors, leaf.filter)
    graph = None if leaf.exact else part.graph(leaf.using)
    if graph is None and skipped_as_unindexed(config, leaf, found.rows):
        return None
    if found.count == 0 or leaf.wanted == 0:
        return None
    rows, scores = comparison.nearest(vectors, PartQuery(found, graph, leaf.wanted, ef, allowance))
    return Candidates(part, slots_of_rows(vectors, rows), scores)
