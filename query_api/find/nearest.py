"""The nearest vectors of one part."""

import threading
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from projector.view.part import Part, Vectors, slots_of_rows
from query_api.budget import Allowance
from query_api.find.scoring import Floats, Scorer
from query_api.find.selection import Findable
from query_api.find.strategy import RETRY_FACTOR, exact_us, graph_ef, graph_us, skipped_as_unindexed
from query_api.plan.leaves import Nearest
from schemas.config import CollectionConfig

Rows = NDArray[np.int64]

GATHER_BELOW = 0.4
"""Of how many rows a mask must leave less to gather them first rather than score all.

Measured on 200k x 100: rows gathered at random take 2 to 3 times as long each as rows read in order.
"""

_GATHER_BYTES = 1 << 18
"""What is gathered at a time: it stays in a core's cache until it is scored."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Slots of a part with their scores, in no order; the nearest ones, and a few more where scores are close."""

    part: Part
    slots: Rows
    scores: Floats


def nearest_in_part(
    config: CollectionConfig, part: Part, leaf: Nearest, scorer: Scorer, ef: int, allowance: Allowance
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
    rows = None if graph is None else _by_graph(graph, vectors, found, scorer, leaf.wanted, ef, allowance)
    if rows is None:
        allowance.spend(exact_us(vectors, found))
        rows = exact_rows(vectors, found, scorer, leaf.wanted)
    return Candidates(part, slots_of_rows(vectors, rows), scorer.scores(vectors.matrix[rows]))


def _by_graph(
    graph: Graph, vectors: Vectors, found: Findable, scorer: Scorer, wanted: int, ef: int, allowance: Allowance
) -> NDArray[np.integer] | None:
    """The nearest rows as far as the graph leads to them; None when exact search is the better way."""
    while (wide := graph_ef(found, ef)) is not None:
        allowance.spend(graph_us(wide))
        rows = graph_rows(graph, vectors, found, scorer, wanted, wide)
        if rows is not None:
            return rows
        ef *= RETRY_FACTOR
    return None


def graph_rows(
    graph: Graph, vectors: Vectors, found: Findable, scorer: Scorer, wanted: int, ef: int
) -> NDArray[np.integer] | None:
    """The nearest rows among the ``ef`` that the graph gives; None when too few of these may be found."""
    rows, distances = graph.search(scorer.query, ef, ef)
    enough = min(wanted, found.count)
    rows, distances = graph.repeats.spread(rows, distances, enough, None if found.everything else found.keep)
    if len(rows) < enough:
        return None
    farthest = float(distances[enough - 1])
    tolerance = scorer.tolerance(farthest, vectors.matrix, rows[enough - 1])
    return rows[: int(distances.searchsorted(farthest + tolerance, "right"))]


def exact_rows(vectors: Vectors, found: Findable, scorer: Scorer, wanted: int) -> Rows:
    """The nearest rows of all that may be found, found by comparing them all."""
    matrix = vectors.matrix
    rows = None if found.everything else found.passing_rows()
    with np.errstate(over="ignore", invalid="ignore"):
        if rows is None:
            rough = _score_all(matrix, scorer)
        elif len(rows) < GATHER_BELOW * len(matrix):
            rough = _score_gathered(matrix, rows, scorer)
        else:
            rough = _score_all(matrix, scorer)[rows]
    return _nearest(rough, rows, matrix, scorer, wanted)


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
