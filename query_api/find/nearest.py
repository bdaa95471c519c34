"""The nearest points: those of every part of a shard, put together."""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from projector.view.part import slots_of_rows
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.scans import Candidates, Scans
from query_api.find.strategy import EF_BY_SHARE, base_ef, no_vectors_named, skipped_as_unindexed
from query_api.find.targets import Target, Targets, Together, targets_of
from query_api.find.walks import GraphWalk
from query_api.hits import Hit
from query_api.native import NativeWork
from query_api.plan.leaves import Nearest
from query_api.vectors.comparison import Asked, Comparison, Floats, PartQuery, near_enough, nearness
from query_api.vectors.registry import comparison_of
from schemas.config import CollectionConfig

_LEAF_US, _PART_US, _HIT_US = 80.0, 60.0, 2.0
"""For what is done beside comparing: once, in each part, and for each hit."""
_MANY = 1 << 10
_FEW = 64
"""So many more hits than are wanted are sorted sooner than left out."""
_SURPLUS_US = 0.02
"""For each of more candidates than that: whether it can be answered."""


class PartSearch(NamedTuple):
    """What is to be compared in one part. ``graph``: None where none is used.

    ``walk``: what to begin with where the graph is the quicker way.
    """

    target: Target
    asked: Asked
    graph: Graph | None
    walk: GraphWalk | None
    exact: bool

    def run(self, comparison: Comparison, allowance: Allowance) -> Candidates:
        """At least the ``wanted`` nearest. Raises OverEstimateError, TimedOutError."""
        part, place, vectors, *_ = self.target
        if allowance.notes is not None:
            allowance.notes.begin(part.name, part.alive_count)
        query = PartQuery(self.asked, self.graph, self.walk, self.exact, allowance)
        rows, scores = comparison.nearest(vectors, query)
        return Candidates(part, place, slots_of_rows(vectors, rows), scores)


class NearestSearch:
    """The nearest points of a shard, equally near ones by id."""

    def __init__(self, view: ShardView, leaf: Nearest) -> None:
        """Evaluates the leaf's filter. Raises BadInputError for an unknown vector name or a vector of another size."""
        kind = view.config.kinds.get(leaf.using)
        if kind is None:
            raise no_vectors_named(leaf.using)
        self._leaf = leaf
        self._hits = leaf.limit if leaf.limit < view.count else view.count
        self._comparison = comparison_of(kind, leaf.vector)
        self.ahead: list[NativeWork] = []
        """What may be done ahead."""
        self._searches: list[PartSearch] = []
        """What is searched part by part: graphs, and what is no dense vector."""
        self._scans: Scans | None = None
        """All else."""
        if leaf.wanted:
            self._divide(view.config, targets_of(view, leaf.using, leaf.filter))

    def _divide(self, config: CollectionConfig, targets: Targets) -> None:
        leaf, together = self._leaf, targets.together if self._leaf.exact else targets.without_graph
        if leaf.indexed_only:
            seen = [t for t in together.targets if t.graph or not skipped_as_unindexed(config, leaf, t.found.rows)]
            together = together if len(seen) == len(together.targets) else Together(seen)
        if not leaf.exact and targets.with_graph:
            ef = base_ef(config, leaf)
            # Parts are searched one by one; ef is said of all together.
            rows = targets.rows_in_segments if targets.parts > 1 else 0
            beside = [target for target in targets.with_graph if not self._searched(target, ef, rows)]
            if beside:
                together = Together([*beside, *together.targets])
        if not together.targets:
            return
        self._scans = self._comparison.scans(together, leaf.wanted, leaf.quantization)
        if self._scans is not None:
            self.ahead.append(self._scans)
        else:
            self._searches += [self._one_by_one(target) for target in together.targets]

    def _searched(self, target: Target, ef: int, rows: int) -> bool:
        """Search a part by its graph or codes if that is the quicker way; whether it is."""
        leaf, graph, found = self._leaf, target.graph, target.found
        if graph is None:
            return False
        if found.rows < rows:
            ef = max(leaf.wanted, ceil(ef * (found.rows / rows) ** EF_BY_SHARE))
        asked = Asked(found, leaf.wanted, ef, leaf.quantization)
        walk = self._comparison.walk(graph, asked)
        if walk is not None:
            self.ahead.append(walk)
        elif graph.codes is None or leaf.quantization.ignore:
            return False
        self._searches.append(PartSearch(target, asked, graph, walk, exact=False))
        return True

    def _one_by_one(self, target: Target) -> PartSearch:
        """A target of what is compared together, by itself."""
        leaf, graph = self._leaf, None if self._leaf.exact else target.graph
        return PartSearch(target, Asked(target.found, leaf.wanted, 0, leaf.quantization), graph, None, leaf.exact)

    def us(self) -> float:
        """How long it takes beside what may be done ahead, in microseconds."""
        spent = _LEAF_US + self._hits * _HIT_US + len(self._searches) * _PART_US
        if self._scans is not None:
            spent += _PART_US
        for search in self._searches:
            if search.walk is None:
                spent += self._comparison.us(search.target.vectors, search.target.found)
        return spent

    def run(self, allowance: Allowance) -> list[Hit]:
        """The hits, in order. Raises OverEstimateError, TimedOutError."""
        found = [search.run(self._comparison, allowance) for search in self._searches]
        scans = self._scans
        if scans is not None:
            if allowance.notes is None:
                found += scans.nearest(allowance)
            else:
                # Who wants to know how each part is searched has them searched one by one.
                one_by_one = map(self._one_by_one, scans.together.targets)
                found += [search.run(self._comparison, allowance) for search in one_by_one]
        return _hits(found, self._leaf, self._comparison, allowance) if found else []


def _hits(found: Sequence[Candidates], leaf: Nearest, comparison: Comparison, allowance: Allowance) -> list[Hit]:
    """The candidates that are answered, in order. Raises OverEstimateError, TimedOutError."""
    surplus = sum(len(candidates.slots) for candidates in found) - leaf.wanted
    least = None
    if surplus > _FEW:
        allowance.spend(surplus * _SURPLUS_US)
        least = _least(found, surplus, comparison)
    hits: list[Hit] = []
    for candidates in found:
        if not len(candidates.slots):
            continue
        if least is not None or leaf.score_threshold is not None:
            near = nearness(comparison, candidates.scores)
            chosen = np.flatnonzero(_near_enough(near, least, leaf.score_threshold, comparison))
            if not len(chosen):
                continue
            if least is not None and len(chosen) > leaf.wanted:
                chosen = _answerable(candidates, near, chosen, least, leaf.wanted)
                allowance.spend((len(chosen) - leaf.wanted) * _HIT_US)
            candidates = Candidates(
                candidates.part, candidates.place, candidates.slots[chosen], candidates.scores[chosen]
            )
        hits += _hits_of(candidates, comparison)
    hits.sort()
    if leaf.excluded:
        hits = [hit for hit in hits if hit.id not in leaf.excluded]
    return hits[: leaf.limit]


def _near_enough(
    near: Floats, least: float | None, threshold: float | None, comparison: Comparison
) -> NDArray[np.bool_]:
    """Which are as near as ``least``, None for all, and nearer than a score that is the ``threshold``."""
    if least is None:
        return near > near_enough(comparison, threshold)
    return near >= least if threshold is None else (near >= least) & (near > near_enough(comparison, threshold))


def _answerable(
    candidates: Candidates, near: Floats, chosen: NDArray[np.intp], least: float, wanted: int
) -> NDArray[np.intp]:
    """Which of those ``chosen`` can be among ``wanted`` of which the last is as near as ``least``.

    Of those just as near the first by id are enough, where slots tell which: all points may be.
    """
    theirs = near[chosen]
    equal = chosen[theirs == least]
    if len(equal) > wanted and candidates.part.in_id_order:
        equal = equal[np.argpartition(candidates.slots[equal], wanted)[:wanted]]
    return np.concatenate([chosen[theirs > least], equal])


def _hits_of(candidates: Candidates, comparison: Comparison) -> Iterable[Hit]:
    slots, scores, first = candidates.slots, candidates.scores, candidates.place
    if len(slots) > _MANY:
        # Sorting hits that are in order by then takes a tenth, and goes on without letting others run.
        order = np.argsort(-nearness(comparison, scores))
        slots, scores = slots[order], scores[order]
    answered: list[float] = scores.tolist()
    orders = [-score for score in answered] if comparison.higher_is_nearer else answered
    places: list[int] = (slots + first if first else slots).tolist()
    return map(Hit, orders, candidates.part.ids_at(slots), answered, places)


def _least(found: Sequence[Candidates], surplus: int, comparison: Comparison) -> float:
    """The nearness of the last candidate that can be answered, where there are so many more than wanted."""
    every = nearness(comparison, np.concatenate([candidates.scores for candidates in found]))
    return float(np.partition(every, surplus)[surplus])
