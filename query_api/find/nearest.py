"""The nearest points: those of every part of a shard, put together."""

from collections.abc import Iterable, Sequence
from math import ceil

import msgspec
import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from projector.view.part import Part, Vectors, slots_of_rows
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.scans import Scan
from query_api.find.selection import Findable
from query_api.find.strategy import EF_BY_SHARE, base_ef, check_vector_name, skipped_as_unindexed
from query_api.find.walks import GraphWalk
from query_api.hits import Hit, first_place
from query_api.native import NativeWork
from query_api.plan.leaves import Nearest
from query_api.vectors.comparison import Asked, Comparison, Floats, PartQuery, near_enough, nearness
from query_api.vectors.registry import comparison_of
from schemas.config import CollectionConfig

_LEAF_US, _PART_US, _HIT_US = 80.0, 60.0, 2.0
"""For what is done beside comparing: once, in each part, and for each hit."""
_MANY = 1 << 10


class Candidates(msgspec.Struct, frozen=True, eq=False):
    """Slots of a part with their scores, in no order; the nearest ones, and a few more where scores are close."""

    part: Part
    place: int
    slots: NDArray[np.int64]
    scores: Floats


class PartSearch(msgspec.Struct, frozen=True, eq=False):
    """What is to be compared in one part, whose first slot has ``place``; ``graph``: None where none is used.

    ``walk``: what to begin with where the graph is the quicker way; ``scan``: where there is none.
    """

    part: Part
    place: int
    vectors: Vectors
    asked: Asked
    graph: Graph | None
    walk: GraphWalk | None
    scan: Scan | None
    exact: bool

    @property
    def ahead(self) -> NativeWork | None:
        """What may be done ahead."""
        return self.scan if self.walk is None else self.walk

    def us(self, comparison: Comparison) -> float:
        """How long it takes beside what may be done ahead, in microseconds."""
        return comparison.us(self.vectors, self.asked.found) if self.ahead is None else 0.0

    def run(self, comparison: Comparison, allowance: Allowance) -> Candidates:
        """At least the ``wanted`` nearest. Raises OverEstimateError, TimedOutError."""
        if allowance.notes is not None:
            allowance.notes.begin(self.part.name, self.part.alive_count)
        query = PartQuery(self.asked, self.graph, self.walk, self.exact, allowance, self.scan)
        rows, scores = comparison.nearest(self.vectors, query)
        return Candidates(self.part, self.place, slots_of_rows(self.vectors, rows), scores)


class NearestSearch:
    """The nearest points of a shard, equally near ones by id."""

    def __init__(self, view: ShardView, leaf: Nearest) -> None:
        """Evaluates the leaf's filter. Raises BadInputError for an unknown vector name or a vector of another size."""
        check_vector_name(view.config, leaf.using)
        self._leaf = leaf
        self._hits = leaf.limit if leaf.limit < view.count else view.count
        self._comparison = comparison_of(view.config.kinds[leaf.using], leaf.vector)
        there = [
            (n, part, vectors) for n, part in enumerate(view.parts) if (vectors := part.vectors(leaf.using)) is not None
        ]
        # Parts are searched one by one; ef is said of all together.
        segments = len(view.segments)
        self._rows = sum(vectors.rows for n, _, vectors in there if n < segments)
        searches = [self._in(view.config, part, first_place(n), vectors) for n, part, vectors in there]
        self._searches = [search for search in searches if search is not None] if leaf.wanted else []
        self.ahead = [ahead for search in self._searches if (ahead := search.ahead) is not None]
        """What may be done ahead."""

    def _in(self, config: CollectionConfig, part: Part, place: int, vectors: Vectors) -> PartSearch | None:
        """What is compared in a part; None when that is nothing."""
        leaf = self._leaf
        found = Findable(part, vectors, leaf.filter)
        graph = None if leaf.exact else part.graph(leaf.using)
        if not found.count or (graph is None and skipped_as_unindexed(config, leaf, found.rows)):
            return None
        ef = base_ef(config, leaf)
        if found.rows < self._rows:
            ef = max(leaf.wanted, ceil(ef * (found.rows / self._rows) ** EF_BY_SHARE))
        asked = Asked(found, leaf.wanted, ef, leaf.quantization)
        walk = None if graph is None else self._comparison.walk(graph, asked)
        scan = None if walk is not None else self._comparison.scan(vectors, graph, asked)
        return PartSearch(part, place, vectors, asked, graph, walk, scan, leaf.exact)

    def us(self) -> float:
        """How long it takes beside what may be done ahead, in microseconds."""
        compared = sum(_PART_US + search.us(self._comparison) for search in self._searches)
        return _LEAF_US + compared + self._hits * _HIT_US

    def run(self, allowance: Allowance) -> list[Hit]:
        """The hits, in order. Raises OverEstimateError, TimedOutError."""
        found = [search.run(self._comparison, allowance) for search in self._searches]
        return _hits(found, self._leaf, self._comparison) if found else []


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
    if len(slots) > _MANY:
        # Sorting hits that are in order by then takes a tenth, and goes on without letting others run.
        order = np.argsort(-near)
        slots, scores, near = slots[order], scores[order], near[order]
    places: list[int] = (slots + place).tolist()
    return map(Hit, (-near).tolist(), part.ids_at(slots), scores.tolist(), places)


def _least(nearness: Sequence[Floats], wanted: int) -> float | None:
    """The nearness of the last candidate that can be answered; None when there are no more than wanted."""
    surplus = sum(map(len, nearness)) - wanted
    if surplus <= 0:
        return None
    every = nearness[0] if len(nearness) == 1 else np.concatenate(nearness)
    return float(np.partition(every, surplus)[surplus])
