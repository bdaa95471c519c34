"""Dense vectors found through a graph: how far to walk in it, and what of that may be found."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from query_api.budget import Allowance
from query_api.find.strategy import RETRY_FACTOR
from query_api.find.walks import GraphWalk
from query_api.vectors.comparison import Asked, PartQuery
from query_api.vectors.scoring import Floats, Scorer

FoundT = TypeVar("FoundT")


def by_graph(
    query: PartQuery, again: Callable[[Graph, Asked], GraphWalk | None], step: Callable[[GraphWalk], FoundT | None]
) -> FoundT | None:
    """What ``step`` finds, looking farther in the graph, ``again``, where too little of that may be found.

    None when comparing all is the better way.
    """
    asked, walk = query.asked, query.walk
    while walk is not None:
        rows = step(walk)
        if rows is not None or query.found.filtered:
            return rows
        asked = asked._replace(ef=asked.ef * RETRY_FACTOR)
        walk = again(walk.graph, asked)
    return None


def walked(walk: GraphWalk, allowance: Allowance) -> tuple[NDArray[np.integer], Floats] | None:
    """The rows that a walk leads to and that may be found, nearest first, and their distances.

    None when they are fewer than it wants.
    """
    there, found = walk.walked(allowance), walk.found
    if there.exhausted:
        return None
    keep = None if found.everything else found.keep
    rows, distances = walk.graph.repeats.spread(there.rows, there.distances, walk.wanted, keep)
    return None if len(rows) < walk.wanted else (rows, distances)


def cut(
    rows: NDArray[np.integer], distances: Floats, enough: int, scorer: Scorer, matrix: NDArray[Any]
) -> NDArray[np.integer]:
    """Of rows in the order of their distances, those that may be among the nearest ``enough``, as float32 is rough."""
    if len(rows) <= enough:
        return rows
    farthest = float(distances[enough - 1])
    tolerance = scorer.tolerance(farthest, matrix, rows[enough - 1])
    return rows[: int(distances.searchsorted(farthest + tolerance, "right"))]
