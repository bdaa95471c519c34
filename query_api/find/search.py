"""The nearest points over all parts of a shard."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.nearest import Candidates, search_of
from query_api.find.strategy import base_ef, check_vector_name
from query_api.hits import Hit
from query_api.places import first_place
from query_api.plan.leaves import Nearest
from query_api.vectors.comparison import Comparison, Floats, near_enough, nearness
from query_api.vectors.registry import comparison_of


class NearestSearch:
    """The nearest points of a shard, equally near ones by id."""

    def __init__(self, view: ShardView, leaf: Nearest) -> None:
        """Evaluates the leaf's filter. Raises BadInputError for an unknown vector name or a vector of another size."""
        check_vector_name(view.config, leaf.using)
        self._leaf = leaf
        self._comparison = comparison_of(view.config.names[leaf.using], leaf.vector)
        self._ef = base_ef(view.config, leaf)
        searches = [search_of(view.config, part, first_place(n), leaf) for n, part in enumerate(view.parts)]
        self._searches = [search for search in searches if search is not None] if leaf.wanted else []

    def us(self) -> float:
        """How long comparing vectors takes, in microseconds."""
        return sum(search.us(self._comparison, self._ef) for search in self._searches)

    def run(self, allowance: Allowance) -> list[Hit]:
        """The hits, in order. Raises OverEstimateError, TimedOutError."""
        comparison, leaf = self._comparison, self._leaf
        found = [search.run(comparison, leaf.wanted, self._ef, allowance) for search in self._searches]
        return _hits(found, leaf, comparison) if found else []


def _hits(found: Sequence[Candidates], leaf: Nearest, comparison: Comparison) -> list[Hit]:
    """The candidates that are answered, in order."""
    nears = [nearness(comparison, candidates.scores) for candidates in found]
    least = _least(nears, leaf.wanted)
    hits: list[Hit] = []
    for candidates, near in zip(found, nears, strict=True):
        slots, scores = candidates.slots, candidates.scores
        if least is not None or leaf.score_threshold is not None:
            chosen = _chosen(near, least, near_enough(comparison, leaf.score_threshold))
            slots, scores, near = slots[chosen], scores[chosen], near[chosen]
        hits += _hits_of(candidates.part, candidates.place, slots, scores, near)
    hits.sort()
    if leaf.excluded:
        hits = [hit for hit in hits if hit.id not in leaf.excluded]
    return hits[: leaf.limit]


def _chosen(near: Floats, least: float | None, threshold: float) -> NDArray[np.bool_]:
    """The least nearness that fits is included; the threshold's own, as in Qdrant, is not."""
    above = near > threshold
    return above if least is None else above & (near >= least)


def _hits_of(part: Part, place: int, slots: NDArray[np.int64], scores: Floats, near: Floats) -> Iterable[Hit]:
    places: list[int] = (slots + place).tolist()
    return map(Hit, (-near).tolist(), part.ids_at(slots), scores.tolist(), places)


def _least(nearness: Sequence[Floats], wanted: int) -> float | None:
    """The nearness of the last candidate that can be answered; None when there are no more than wanted."""
    surplus = sum(map(len, nearness)) - wanted
    if surplus <= 0:
        return None
    every = nearness[0] if len(nearness) == 1 else np.concatenate(nearness)
    return float(np.partition(every, surplus)[surplus])
