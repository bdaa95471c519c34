"""Dense vectors compared: exactly, or through a graph; what is found is scored exactly."""

import threading
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from projector.vectors.dense import DenseVectors
from query_api.budget import Allowance
from query_api.find.selection import Findable
from query_api.find.strategy import exact_us, walk_for
from query_api.find.walks import GraphWalk
from query_api.vectors.comparison import Asked, PartQuery
from query_api.vectors.quantized import coded_walk, nearest_by_codes
from query_api.vectors.scoring import Floats, Scorer
from query_api.vectors.walking import by_graph, cut, walked
from schemas.vectors.dense import DenseKind, check_dim
from schemas.vectors.normalise import normalise
from schemas.vectors.params import Datatype, Distance, VectorParams

Rows = NDArray[np.int64]

GATHER_BELOW = 0.4
"""Of how many rows a mask must leave less to gather them first rather than score all.

Measured on 200k x 100: rows gathered at random take 2 to 3 times as long each as rows read in order.
"""

_GATHER_BYTES = 1 << 18
"""What is gathered at a time: it stays in a core's cache until it is scored."""


class DenseComparison:
    """One dense query."""

    def __init__(self, params: VectorParams, vector: bytes) -> None:
        """``vector``: as a stored point holds it. Raises BadInputError for one of another size."""
        kind = DenseKind(params)
        values = np.frombuffer(vector, kind.dtype)
        check_dim(kind.dim, len(values))
        query = values.astype(np.float32, copy=False)
        # What float16 keeps is normalised already, and rounded since: doing it again would give another vector.
        final = kind.datatype is Datatype.FLOAT16
        self.scorer = Scorer(params.distance, query) if final else Scorer.of(params.distance, query)
        self.higher_is_nearer = params.distance.higher_is_nearer
        self.squared = params.distance is Distance.EUCLID
        self._raw = params.distance is Distance.COSINE and kind.datatype is Datatype.UINT8

    def nearest(self, vectors: DenseVectors, query: PartQuery) -> tuple[NDArray[np.integer], Floats]:
        """The nearest rows, through the graph where that is quicker."""
        found, wanted, rows = query.found, query.wanted, None
        graph = query.graph
        if graph is not None and graph.codes is not None and not query.asked.quantization.ignore:
            coded = nearest_by_codes(graph, graph.codes, vectors, self.scorer, query)
            if coded is not None:
                return coded
        elif graph is not None:
            rows = by_graph(query, self.walk, lambda walk: self._step(vectors, query, walk))
        if rows is None:
            query.allowance.spend(self.us(vectors, found))
            rows = exact_rows(vectors, found, self.scorer, wanted, raw=self._raw)
            query.note("exact", _why_exact(query), found.count, len(rows))
        return rows, self.scores(vectors, rows)

    def walk(self, graph: Graph, asked: Asked) -> GraphWalk | None:
        """How to begin in the graph, by its codes if it has any."""
        if graph.codes is not None and not asked.quantization.ignore:
            return coded_walk(graph, graph.codes, self.scorer, asked)
        found = asked.found
        plan = walk_for(found, asked.ef, len(self.scorer.query))
        return (
            None if plan is None else GraphWalk(graph, self.scorer.query, found, min(asked.wanted, found.count), plan)
        )

    def _step(self, vectors: DenseVectors, query: PartQuery, walk: GraphWalk) -> NDArray[np.integer] | None:
        rows = graph_rows(walk, vectors, self.scorer, query.allowance)
        if rows is not None and query.allowance.notes is not None:
            found, ef = query.found, walk.plan.ef
            query.note("graph", f"{found.count} of {found.rows} vectors pass, ef {ef}", ef, len(rows))
        return rows

    def scores(self, vectors: DenseVectors, rows: NDArray[np.integer]) -> Floats:
        """The scores of some rows."""
        matrix = vectors.matrix[rows]
        return self.scorer.scores(normalise(matrix.astype(np.float32)) if self._raw else matrix)

    def us(self, vectors: DenseVectors, found: Findable) -> float:
        """About how long comparing all that may be found takes."""
        return exact_us(vectors.matrix.shape[1], found)


def widened_rows(rows: NDArray[Any], *, normalised: bool) -> NDArray[np.float64]:
    """Rows of any datatype as float64; ``normalised``: they are compared under Cosine, and uint8 ones aren't yet."""
    if normalised and rows.dtype == np.uint8:
        rows = normalise(rows.astype(np.float32))
    return rows.astype(np.float64)


def _why_exact(query: PartQuery) -> str:
    if query.exact:
        return "exact was asked for"
    if query.graph is None:
        return "there is no graph"
    if query.walk is not None:
        return "looking in the graph did not lead to enough that pass"
    return f"comparing {query.found.count} that pass is quicker than looking far enough in the graph"


def graph_rows(
    walk: GraphWalk, vectors: DenseVectors, scorer: Scorer, allowance: Allowance
) -> NDArray[np.integer] | None:
    """The nearest rows among those that a graph leads to; None when too few of these may be found."""
    there = walked(walk, allowance)
    return None if there is None else cut(*there, walk.wanted, scorer, vectors.matrix)


def exact_rows(vectors: DenseVectors, found: Findable, scorer: Scorer, wanted: int, *, raw: bool = False) -> Rows:
    """The nearest rows of all that may be found, by comparing them all. ``raw``: they are yet to be normalised."""
    matrix = vectors.matrix
    rows = None if found.everything else found.passing_rows()
    with np.errstate(over="ignore", invalid="ignore"):
        if matrix.dtype != np.float32:
            rough = _score_converted(matrix, rows, scorer, raw)
        elif rows is None:
            rough = _score_all(matrix, scorer)
        elif len(rows) < GATHER_BELOW * len(matrix):
            rough = _score_gathered(matrix, rows, scorer)
        else:
            rough = _score_all(matrix, scorer)[rows]
    return _nearest(rough, rows, matrix, scorer, wanted)


def _score_converted(matrix: NDArray[Any], rows: Rows | None, scorer: Scorer, raw: bool) -> Floats:
    """Rows that are not float32, a block at a time."""
    count = len(matrix) if rows is None else len(rows)
    rough = np.empty(count, np.float32)
    step = max(16, _GATHER_BYTES // (4 * matrix.shape[1]))
    for start in range(0, count, step):
        some = slice(start, min(start + step, count))
        block = matrix[some if rows is None else rows[some]].astype(np.float32)
        scorer.rough(normalise(block) if raw else block, rough[some])
    return rough


def _score_all(matrix: Floats, scorer: Scorer) -> Floats:
    rough = np.empty(len(matrix), np.float32)
    scorer.rough(matrix, rough)
    return rough


def _score_gathered(matrix: Floats, rows: Rows, scorer: Scorer) -> Floats:
    rough = np.empty(len(rows), np.float32)
    buffer = _gather_buffer(matrix.shape[1])
    for start in range(0, len(rows), len(buffer)):
        wanted = rows[start : start + len(buffer)]
        gathered = buffer[: len(wanted)]
        # Without a mode that cannot raise, take would make a copy of its own first.
        np.take(matrix, wanted, axis=0, out=gathered, mode="clip")
        scorer.rough(gathered, rough[start : start + len(wanted)])
    return rough


class _Kept(threading.local):
    """One buffer per thread and vector size: memory fresh from the system costs more than what is done in it."""

    def __init__(self) -> None:
        self.buffers: dict[int, Floats] = {}


_kept = _Kept()


def _gather_buffer(dim: int) -> Floats:
    buffer = _kept.buffers.get(dim)
    if buffer is None:
        rows = max(16, _GATHER_BYTES // (4 * dim))
        buffer = _kept.buffers[dim] = np.empty((rows, dim), np.float32)
    return buffer


def _nearest(rough: Floats, rows: Rows | None, matrix: Floats, scorer: Scorer, wanted: int) -> Rows:
    """The ``wanted`` nearest rows and those that are no farther within the tolerance; ``rows``: None for all."""
    surplus = len(rough) - wanted
    if surplus > 0:
        last = np.partition(rough, surplus)[surplus]
        if isfinite(last):
            at = int(np.argmax(rough == last))
            least = last - scorer.tolerance(float(last), matrix, at if rows is None else int(rows[at]))
            # Not ">= least": where float32 overflowed to NaN, the exact scores decide.
            chosen = np.flatnonzero(~(rough < least))
            return chosen if rows is None else rows[chosen]
    return np.arange(len(rough)) if rows is None else rows
