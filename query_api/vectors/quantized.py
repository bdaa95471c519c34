"""Dense vectors found by their codes; what is found is compared exactly unless a search says otherwise."""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from projector.kernel import distances
from projector.quantization.codes import Codes
from projector.segments.graph import Graph
from projector.vectors.dense import DenseVectors
from query_api.find.division import Asked
from query_api.find.strategy import WalkPlan, compared_us, walk_for
from query_api.find.walks import GraphWalk
from query_api.vectors.comparison import PartQuery
from query_api.vectors.scoring import Floats, Scorer
from query_api.vectors.walking import by_graph
from schemas.vectors.params import Distance

LEAST_SCANNED, SCANNED_PER_KEPT = 1024, 8
"""Of how many rows codes are compared rather than vectors, where a graph is no help: gathering vectors from all over a
file costs more than what is gained by sorting fewer of them."""

Found = tuple[NDArray[np.integer], Floats]


def nearest_by_codes(codes: Codes, vectors: DenseVectors, scorer: Scorer, query: PartQuery) -> Found | None:
    """The nearest rows and their scores, by the codes of a graph; None when comparing vectors is quicker."""
    search = _CodedSearch(codes, vectors, scorer, query)
    found = by_graph(query, search.walk, search.step)
    return search.scan() if found is None else found


def coded_plan(codes: Codes, dim: int, asked: Asked) -> WalkPlan | None:
    """How far to look in a graph by its codes; None where comparing all that may be found is quicker."""
    dearer = codes.quantizer.compared_us / compared_us(dim)
    return walk_for(asked.found, max(asked.ef, _kept(codes, asked)), dim, cost=dearer)


def coded_walk(graph: Graph, codes: Codes, scorer: Scorer, asked: Asked, plan: WalkPlan) -> GraphWalk:
    """A walk by that plan. Where rescoring is asked for, what it leads to is compared exactly on the same thread."""
    found = asked.found
    kept, wanted = min(_kept(codes, asked), found.count), min(asked.wanted, found.count)
    rescoring, finish = graph.rescoring, None
    if asked.quantization.rescore:
        finish = rescoring.finish_of(kept, scorer.query, wanted, found.kept(graph.repeats))
    looked_for = codes.quantizer.prepare(scorer.query)
    return GraphWalk(graph, looked_for, found, kept, plan, coded=True, finish=finish, enough=wanted)


def _kept(codes: Codes, asked: Asked) -> int:
    """How many rows are to be found by their codes."""
    params = asked.quantization
    oversampling = codes.quantizer.oversampling if params.oversampling is None else params.oversampling
    return ceil(asked.wanted * oversampling) if params.rescore else asked.wanted


class _CodedSearch:
    """One search in one part. ``kept``: how many rows are to be found by their codes."""

    def __init__(self, codes: Codes, vectors: DenseVectors, scorer: Scorer, query: PartQuery) -> None:
        self._codes = codes
        self._vectors = vectors
        self._scorer = scorer
        self._query = query
        self.kept = _kept(codes, query.asked)
        self._rescores = query.asked.quantization.rescore

    def walk(self, graph: Graph, asked: Asked) -> GraphWalk | None:
        """How to go on in the graph; None where comparing all that may be found is quicker."""
        plan = coded_plan(self._codes, len(self._scorer.query), asked)
        return None if plan is None else coded_walk(graph, self._codes, self._scorer, asked, plan)

    def step(self, walk: GraphWalk) -> Found | None:
        """What one walk leads to."""
        query, kept, ef = self._query, walk.wanted, walk.plan.ef
        found = walk.nearest(query.allowance) if self._rescores else self._about(walk)
        if found is None:
            return None
        query.note("graph", f"codes of {query.found.count} vectors, ef {ef}", ef, kept if self._rescores else 0)
        if self._rescores:
            self._note_read(kept)
        return found

    def _about(self, walk: GraphWalk) -> Found | None:
        found = walk.spread(self._query.allowance)
        return None if found is None else (found[0][: walk.wanted], self._scores_of(found[1][: walk.wanted]))

    def scan(self) -> Found | None:
        """All that may be found, compared by their codes; None where these are too few."""
        found, query = self._query.found, self._query
        if found.count < max(LEAST_SCANNED, SCANNED_PER_KEPT * self.kept):
            return None
        query.allowance.spend(found.count * self._codes.quantizer.compared_us)
        rows = None if found.everything else found.passing_rows()
        prepared = self._codes.quantizer.prepare(self._scorer.query)
        every = distances(self._codes.rows, self._codes.quantizer.form, prepared, rows)
        least = np.argpartition(every, self.kept)[: self.kept]
        query.note("codes", f"all {found.count} that pass", found.count, self.kept if self._rescores else 0)
        chosen = least if rows is None else rows[least]
        if not self._rescores:
            return chosen, self._scores_of(every[least])
        nearest = self._scorer.nearest(self._vectors.matrix, query.wanted, chosen)
        self._note_read(self.kept)
        return nearest

    def _note_read(self, rows: int) -> None:
        """So many were compared exactly."""
        if self._codes.on_disk is not None:
            self._codes.on_disk.read(rows)

    def _scores_of(self, about: Floats) -> Floats:
        if self._scorer.distance is Distance.EUCLID:
            return np.sqrt(np.maximum(about, 0))
        return 1 - about
