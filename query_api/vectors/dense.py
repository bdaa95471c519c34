"""Dense vectors compared: exactly, or through a graph; what is found is scored exactly."""

from collections.abc import Sequence
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelParts, KernelSearchCodes, scores
from projector.quantization.search_codes import SearchCodes
from projector.segments.graph import Graph, WalkedPart
from projector.vectors.dense import DenseVectors
from query_api.find.division import Asked, Division, Prepared, Walked
from query_api.find.joint import JointSearch
from query_api.find.selection import Findable
from query_api.find.strategy import BUDGET, WalkPlan, coded_budget, coded_scan_us, exact_us, walk_for
from query_api.find.walks import GraphWalk
from query_api.plan.leaves import QuantizedSearch
from query_api.vectors.comparison import PartQuery, SomeRows
from query_api.vectors.quantized import coded_plan, coded_walk, nearest_by_codes
from query_api.vectors.scoring import Floats, Scorer
from query_api.vectors.walking import by_graph
from schemas.vectors.dense import DenseKind, check_dim
from schemas.vectors.params import Datatype, Distance

Rows = NDArray[np.int64]

CODED_WALK = 0.65
"""How long walks by search codes take, of what they take by vectors.

Measured on 200,000 word vectors of 100 values: 0.58 to 0.77 of it at ef 256 to 64.
"""

LEAST_CODED = 256
"""Where fewer rows are compared, to prepare a query for codes takes longer than they save."""

MADE_AT_ONCE = 1 << 19
"""Of so many values a search makes the search codes that are missing, on the event loop; later ones make the others.
Measured: 1 to 3 ms of processor time; all those of 50,000 rows of 768 values took 87 at once."""


class DenseComparison:
    """One dense query."""

    def __init__(self, kind: DenseKind, vector: bytes) -> None:
        """``vector``: as a stored point holds it. Raises BadInputError for one of another size."""
        values = np.frombuffer(vector, kind.dtype)
        if len(values) != kind.dim:
            check_dim(kind.dim, len(values))
        query = values if kind.datatype is Datatype.FLOAT32 else values.astype(np.float32)
        # What float16 keeps is normalised already, and rounded since: doing it again would give another vector.
        final = kind.datatype is Datatype.FLOAT16
        self.scorer = Scorer(kind.distance, query) if final else Scorer.of(kind.distance, query)
        self.higher_is_nearer = kind.higher_is_nearer
        self.squared = kind.distance is Distance.EUCLID
        self._datatype = kind.datatype

    def nearest(self, vectors: DenseVectors, query: PartQuery) -> tuple[NDArray[np.integer], Floats]:
        """The nearest rows, through the graph where that is quicker."""
        found = query.found
        graph = query.graph
        if graph is not None and graph.codes is not None and not query.asked.quantization.ignore:
            coded = nearest_by_codes(graph.codes, vectors, self.scorer, query)
            if coded is not None:
                return coded
        elif graph is not None:
            walked = by_graph(query, self.begin, lambda walk: self._step(query, walk))
            if walked is not None:
                return walked
        coded = _scans_by_search_codes(found, query.asked.quantization)
        codes = vectors.search_codes(MADE_AT_ONCE // vectors.matrix.shape[1]) if coded else None
        query.allowance.spend(self._scan_us(vectors, found, codes))
        rows, near = self.scorer.nearest(vectors.matrix, query.wanted, found.chosen(), codes)
        if query.allowance.notes is not None:
            query.note("exact", _why_exact(query), found.count, len(rows))
        return rows, near

    def plan(self, graph: Graph, asked: Asked) -> WalkPlan | None:
        """How far to look in the graph, by its codes if it has any."""
        found, dim = asked.found, len(self.scorer.query)
        if graph.codes is not None and not asked.quantization.ignore:
            return coded_plan(graph.codes, dim, asked)
        by_codes = graph.search_codes is not None and _scans_by_search_codes(found, asked.quantization)
        scan_us = coded_scan_us(dim, found) if by_codes else None
        if _walked_codes(graph, asked) is not None:
            return walk_for(found, asked.ef, dim, coded_budget(found), CODED_WALK, scan_us)
        return walk_for(found, asked.ef, dim, BUDGET, scan_us=scan_us)

    def walk(self, graph: Graph, asked: Asked, plan: WalkPlan) -> GraphWalk:
        """A walk by that plan."""
        if graph.codes is not None and not asked.quantization.ignore:
            return coded_walk(graph, graph.codes, self.scorer, asked, plan)
        found, query, codes = asked.found, self.scorer.query, _walked_codes(graph, asked)
        # None where the query's numbers are too large for them.
        prepared = None if codes is None else codes.kernel.query(query)
        wanted = min(asked.wanted, found.count)
        finish = graph.rescoring.finish(query, wanted, found.kept(graph.repeats), prepared)
        looked_for = query if prepared is None else prepared.bytes
        return GraphWalk(graph, looked_for, found, wanted, plan, coded=prepared is not None, finish=finish)

    def begin(self, graph: Graph, asked: Asked) -> GraphWalk | None:
        """A walk as far as is planned; None where comparing all that may be found is quicker."""
        plan = self.plan(graph, asked)
        return None if plan is None else self.walk(graph, asked, plan)

    def joint(self, division: Division, wanted: int, quantization: QuantizedSearch) -> JointSearch:
        """Searching parts together."""
        prepared = division.prepared(partial(self._prepared, quantization=quantization))
        return JointSearch(division, prepared, self.scorer.measure, self.scorer.query, wanted)

    def _prepared(self, division: Division, *, quantization: QuantizedSearch) -> Prepared:
        scanned: list[tuple[DenseVectors, Findable, KernelSearchCodes | None]] = []
        left, final = MADE_AT_ONCE, True
        for target in division.scanned:
            vectors: DenseVectors = cast("DenseVectors", target.vectors)
            codes = None
            if _scans_by_search_codes(target.found, quantization):
                dim, before = vectors.matrix.shape[1], vectors.missing_codes()
                codes = vectors.search_codes(left // dim)
                missing = vectors.missing_codes()
                left -= (before - missing) * dim
                final = final and not missing
            scanned.append((vectors, target.found, codes))

        walked = division.walked

        def make() -> KernelParts:
            return KernelParts(
                [(vectors.matrix, found.chosen(), codes) for vectors, found, codes in scanned],
                [_walked_part(one) for one in walked],
            )

        scans_us = sum(self._scan_us(*part) for part in scanned)
        return Prepared(make, scans_us, [one.plan for one in walked], final=final)

    def _scan_us(self, vectors: DenseVectors, found: Findable, codes: KernelSearchCodes | None) -> float:
        """About how long comparing all that may be found takes."""
        if codes is not None:
            return coded_scan_us(vectors.matrix.shape[1], found)
        return self.us(vectors, found)

    def _step(self, query: PartQuery, walk: GraphWalk) -> tuple[NDArray[np.integer], Floats] | None:
        nearest = walk.nearest(query.allowance)
        if nearest is not None and query.allowance.notes is not None:
            found, ef = query.found, walk.plan.ef
            query.note("graph", f"{found.count} of {found.rows} vectors pass, ef {ef}", ef, len(nearest[0]))
        return nearest

    def scores(self, vectors: DenseVectors, rows: Rows) -> Floats:
        """The scores of some rows."""
        return self.scorer.scores(vectors.matrix, rows)

    @staticmethod
    def table(comparisons: Sequence["DenseComparison"], vectors: DenseVectors, rows: SomeRows) -> Floats:
        """The scores of some rows with several queries of one name, float32 [queries, rows]."""
        queries = np.stack([comparison.scorer.query for comparison in comparisons])
        measure = comparisons[0].scorer.measure
        if isinstance(rows, range):
            return scores(vectors.matrix[rows.start : rows.stop], measure, queries)
        return scores(vectors.matrix, measure, queries, rows)

    def us(self, vectors: DenseVectors, found: Findable) -> float:
        """About how long comparing all that may be found takes."""
        return exact_us(vectors.matrix.shape[1], found, self.scorer.distance, self._datatype)


def _walked_codes(graph: Graph, asked: Asked) -> SearchCodes | None:
    """The search codes that the graph is walked by, if any."""
    codes = graph.search_codes
    return codes if codes is not None and codes.walked and not asked.quantization.ignore else None


def _scans_by_search_codes(found: Findable, quantization: QuantizedSearch) -> bool:
    """Whether a scan looks at search codes first, where there are any."""
    return found.count >= LEAST_CODED and not quantization.ignore


def _walked_part(walked: Walked) -> WalkedPart:
    graph, asked = walked.graph, walked.asked
    found = asked.found
    return graph.walked_part(
        min(asked.wanted, found.count),
        walked.plan.ef,
        found.kept(graph.repeats),
        coded=_walked_codes(graph, asked) is not None,
    )


def _why_exact(query: PartQuery) -> str:
    if query.exact:
        return "exact was asked for"
    if query.graph is None:
        return "there is no graph"
    if query.walk is not None:
        return "looking in the graph did not lead to enough that pass"
    return f"comparing {query.found.count} that pass is quicker than looking far enough in the graph"
