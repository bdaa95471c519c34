"""Dense vectors found through a graph: how far to walk in it, and what of that may be found."""

from collections.abc import Callable
from typing import TypeVar

from projector.segments.graph import Graph
from query_api.find.division import Asked
from query_api.find.strategy import RETRY_FACTOR
from query_api.find.walks import GraphWalk
from query_api.vectors.comparison import PartQuery

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
        asked = farther(asked)
        walk = again(walk.graph, asked)
    return None


def farther(asked: Asked) -> Asked:
    """The same where a walk led to too little."""
    return asked._replace(ef=asked.ef * RETRY_FACTOR)
