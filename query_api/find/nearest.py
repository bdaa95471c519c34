"""The nearest points: those of every part of a shard, put together."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from projector.view.part import Part, slots_of_rows
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.division import Alone, Asked, Division, Walked
from query_api.find.joint import Candidates, JointSearch
from query_api.find.strategy import EF_BY_SHARE, base_ef, no_vectors_named, skipped_as_unindexed
from query_api.find.target import Target
from query_api.find.targets import DivisionKey, Targets, targets_of
from query_api.find.walks import GraphWalk
from query_api.hits import SLOTS, Hit
from query_api.native import NativeWork
from query_api.plan.leaves import Nearest
from query_api.vectors.comparison import Comparison, PartQuery, near_enough, nearness
from query_api.vectors.registry import comparison_of
from query_api.vectors.walking import farther
from schemas.config import CollectionConfig
from schemas.ids import PointId

_LEAF_US, _PART_US, _HIT_US = 80.0, 60.0, 2.0
"""For what is done beside comparing: once, in each part, and for each hit."""
_MANY = 1 << 10
_FEW = 64
"""So many more hits than are wanted are sorted sooner than left out."""
_SURPLUS_US = 0.02
"""For each of more candidates than that: whether it can be answered."""

Places = NDArray[np.int64]


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
        return Candidates(slots_of_rows(vectors, rows) + place, scores)


class NearestSearch:
    """The nearest points of a shard, equally near ones by id."""

    def __init__(self, view: ShardView, leaf: Nearest) -> None:
        """Evaluates the leaf's filter. Raises BadInputError for an unknown vector name or a vector of another size."""
        kind = view.config.kinds.get(leaf.using)
        if kind is None:
            raise no_vectors_named(leaf.using)
        self._leaf = leaf
        self._parts = view.parts
        self._hits = leaf.limit if leaf.limit < view.count else view.count
        self._comparison = comparison_of(kind, leaf.vector)
        self.ahead: list[NativeWork] = []
        """What may be done ahead."""
        self._searches: list[PartSearch] = []
        """What is searched part by part: filtered graphs and those with codes of their own, and what is no dense
        vector."""
        self._joint: JointSearch | None = None
        """All else."""
        if leaf.wanted:
            targets = targets_of(view, leaf.using, leaf.filter)
            self._begin(targets.divided(self._key, lambda: self._divided(view.config, targets)))

    @property
    def _key(self) -> DivisionKey:
        leaf = self._leaf
        return leaf.wanted, leaf.hnsw_ef, leaf.exact, leaf.indexed_only, leaf.quantization

    def _divided(self, config: CollectionConfig, targets: Targets) -> Division:
        """By what the leaf has but its vector."""
        leaf = self._leaf
        scanned = list(targets.all if leaf.exact else targets.without_graph)
        if leaf.indexed_only:
            scanned = [t for t in scanned if t.graph or not skipped_as_unindexed(config, leaf, t.found.rows)]
        walked: list[Walked] = []
        alone: list[Alone] = []
        if not leaf.exact and targets.with_graph:
            ef = base_ef(config, leaf)
            # Parts are searched one by one; ef is said of all together.
            rows = targets.rows_in_segments if targets.parts > 1 else 0
            for target, graph in targets.with_graph:
                asked = self._asked(target, ef, rows)
                plan = self._comparison.plan(graph, asked)
                by_codes = graph.codes is not None and not leaf.quantization.ignore
                if by_codes or (plan is not None and target.found.filtered):
                    alone.append(Alone(target, graph, asked, plan))
                elif plan is not None:
                    walked.append(Walked(target, graph, asked, plan))
                else:
                    scanned.append(target)
        return Division(scanned, walked, alone)

    def _begin(self, division: Division) -> None:
        for target, graph, asked, plan in division.alone:
            walk = None if plan is None else self._comparison.walk(graph, asked, plan)
            if walk is not None:
                self.ahead.append(walk)
            self._searches.append(PartSearch(target, asked, graph, walk, exact=False))
        if not division.together:
            return
        self._joint = self._comparison.joint(division, self._leaf.wanted, self._leaf.quantization)
        if self._joint is not None:
            self.ahead.append(self._joint)
        else:
            self._searches += self._one_by_one(division)

    def _asked(self, target: Target, ef: int, rows: int) -> Asked:
        """``ef``: of a search of all ``rows``, 0 where the part is alone."""
        leaf, found = self._leaf, target.found
        if found.rows < rows:
            ef = max(leaf.wanted, ceil(ef * (found.rows / rows) ** EF_BY_SHARE))
        return Asked(found, leaf.wanted, ef, leaf.quantization)

    def _one_by_one(self, division: Division) -> list[PartSearch]:
        """What is searched together, part by part."""
        leaf = self._leaf
        searches = [self._walking(one, one.asked) for one in division.walked]
        for target in division.scanned:
            asked = Asked(target.found, leaf.wanted, 0, leaf.quantization)
            searches.append(PartSearch(target, asked, None if leaf.exact else target.graph, None, leaf.exact))
        return searches

    def _walking(self, one: Walked, asked: Asked) -> PartSearch:
        """A part that was to be walked together with others, by itself."""
        plan = one.plan if asked is one.asked else self._comparison.plan(one.graph, asked)
        walk = None if plan is None else self._comparison.walk(one.graph, asked, plan)
        return PartSearch(one.target, asked, one.graph, walk, exact=False)

    def us(self) -> float:
        """How long it takes beside what may be done ahead, in microseconds."""
        spent = _LEAF_US + self._hits * _HIT_US + len(self._searches) * _PART_US
        if self._joint is not None:
            spent += _PART_US
        for search in self._searches:
            if search.walk is None:
                spent += self._comparison.us(search.target.vectors, search.target.found)
        return spent

    def run(self, allowance: Allowance) -> list[Hit]:
        """The hits, in order. Raises OverEstimateError, TimedOutError."""
        found = [search.run(self._comparison, allowance) for search in self._searches]
        joint = self._joint
        if joint is not None:
            if allowance.notes is None:
                found.append(joint.nearest(allowance))
                # Walks that led to too little go farther, or all is compared.
                left = [self._walking(one, farther(one.asked)) for one in joint.unfound(allowance)]
            else:
                # Who wants to know how each part is searched has them searched one by one.
                left = self._one_by_one(joint.division)
            found += [search.run(self._comparison, allowance) for search in left]
        return _hits(self._parts, _joined(found), self._leaf, self._comparison, allowance) if found else []


def _joined(found: Sequence[Candidates]) -> Candidates:
    if len(found) == 1:
        return found[0]
    return Candidates(np.concatenate([one.places for one in found]), np.concatenate([one.scores for one in found]))


def _hits(
    parts: Sequence[Part], found: Candidates, leaf: Nearest, comparison: Comparison, allowance: Allowance
) -> list[Hit]:
    """The candidates that are answered, in order. Raises OverEstimateError, TimedOutError."""
    surplus = len(found.places) - leaf.wanted
    if surplus > _FEW:
        allowance.spend(surplus * _SURPLUS_US)
        found = _answerable(parts, found, leaf.wanted, comparison)
        allowance.spend((len(found.places) - leaf.wanted) * _HIT_US)
    if leaf.score_threshold is not None:
        near = nearness(comparison, found.scores) > near_enough(comparison, leaf.score_threshold)
        found = Candidates(found.places[near], found.scores[near])
    if len(found.places) > _MANY:
        # Sorting hits that are in order by then takes a tenth, and goes on without letting others run.
        order = np.argsort(-nearness(comparison, found.scores))
        found = Candidates(found.places[order], found.scores[order])
    scores: list[float] = found.scores.tolist()
    orders = [-score for score in scores] if comparison.higher_is_nearer else scores
    places: list[int] = found.places.tolist()
    hits = sorted(map(Hit, orders, _ids(parts, found.places, places), scores, places))
    if leaf.excluded:
        hits = [hit for hit in hits if hit.id not in leaf.excluded]
    return hits[: leaf.limit]


def _ids(parts: Sequence[Part], places: Places, listed: Sequence[int]) -> Sequence[PointId]:
    """Whose the places are, which are ``listed``."""
    if len(listed) <= _FEW:
        return [parts[place // SLOTS].id_at(place % SLOTS) for place in listed]
    numbers, slots = np.divmod(places, SLOTS)
    ids = np.empty(len(listed), np.object_)
    for number, part in enumerate(parts):
        theirs = np.flatnonzero(numbers == number)
        if len(theirs):
            ids[theirs] = part.ids_at(slots[theirs])
    return ids.tolist()


def _answerable(parts: Sequence[Part], found: Candidates, wanted: int, comparison: Comparison) -> Candidates:
    """Of more candidates than are ``wanted`` those that can be among the first, by nearness and then by id.

    Of those just as near as the last the first by id are enough, where slots tell which: all points may be.
    """
    near = nearness(comparison, found.scores)
    least = np.partition(near, len(near) - wanted)[len(near) - wanted]
    equal = np.flatnonzero(near == least)
    chosen = [np.flatnonzero(near > least)]
    if len(equal) <= wanted:
        chosen.append(equal)
    else:
        numbers = found.places[equal] // SLOTS
        for number, part in enumerate(parts):
            theirs = equal[numbers == number]
            if len(theirs) > wanted and part.in_id_order:
                theirs = theirs[np.argpartition(found.places[theirs], wanted)[:wanted]]
            chosen.append(theirs)
    kept = np.concatenate(chosen)
    return Candidates(found.places[kept], found.scores[kept])
