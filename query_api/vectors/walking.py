"""Dense vectors found through a graph: how far to walk in it, and what of that may be found."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph, Walk
from query_api.find.selection import Findable
from query_api.find.strategy import RETRY_FACTOR, WalkPlan, walk_for
from query_api.vectors.comparison import PartQuery
from query_api.vectors.scoring import Floats, Scorer

FoundT = TypeVar("FoundT")
WalkIn = Callable[[int, WalkPlan, NDArray[np.bool_] | None], Walk]
"""Walks so as to find so many of the rows that are allowed."""


def by_graph(query: PartQuery, ef: int, step: Callable[[WalkPlan], FoundT | None]) -> FoundT | None:
    """What ``step`` finds, looking farther in the graph where too little of that may be found.

    None when comparing all is the better way.
    """
    found = query.found
    while (walk := walk_for(found, ef)) is not None:
        query.allowance.spend(walk.us)
        rows = step(walk)
        if rows is not None or found.filtered:
            return rows
        ef *= RETRY_FACTOR
    return None


def walked(
    graph: Graph, walk_in: WalkIn, found: Findable, enough: int, walk: WalkPlan
) -> tuple[NDArray[np.integer], Floats] | None:
    """The rows that a walk leads to and that may be found, nearest first, and their distances.

    None when they are fewer than ``enough``.
    """
    allowed = graph.repeats.stand_ins(found.found().mask()) if found.filtered else None
    there = walk_in(enough, walk, allowed)
    if there.exhausted:
        return None
    keep = None if found.everything else found.keep
    rows, distances = graph.repeats.spread(there.rows, there.distances, enough, keep)
    return None if len(rows) < enough else (rows, distances)


def cut(
    rows: NDArray[np.integer], distances: Floats, enough: int, scorer: Scorer, matrix: NDArray[Any]
) -> NDArray[np.integer]:
    """Of rows in the order of their distances, those that may be among the nearest ``enough``, as float32 is rough."""
    if len(rows) <= enough:
        return rows
    farthest = float(distances[enough - 1])
    tolerance = scorer.tolerance(farthest, matrix, rows[enough - 1])
    return rows[: int(distances.searchsorted(farthest + tolerance, "right"))]
