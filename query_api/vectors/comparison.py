"""What a query vector is to the kind of vectors that it is compared with."""

from math import inf
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from query_api.budget import Allowance
from query_api.find.division import Asked, Division
from query_api.find.joint import JointSearch
from query_api.find.selection import Findable
from query_api.find.strategy import WalkPlan
from query_api.find.walks import GraphWalk
from query_api.plan.leaves import QuantizedSearch

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
SomeRows = Rows | range
"""A range, without a step, is gone through in order, which takes less than going to each row."""


class PartQuery(msgspec.Struct, frozen=True, eq=False):
    """How a part is searched. ``exact``: a graph was not to be used.

    ``walk``: what to begin with; None where the graph is no help.
    """

    asked: Asked
    graph: Graph | None
    walk: GraphWalk | None
    exact: bool
    allowance: Allowance

    @property
    def found(self) -> Findable:
        """What may be found."""
        return self.asked.found

    @property
    def wanted(self) -> int:
        """How many are."""
        return self.asked.wanted

    def note(self, strategy: str, why: str, candidates: int, rescored: int) -> None:
        """Say how the part is searched, if anybody wants to know."""
        if self.allowance.notes is not None:
            self.allowance.notes.say(strategy, why, candidates, rescored)


class Comparison(Protocol):
    """One query vector under its name's kind."""

    @property
    def higher_is_nearer(self) -> bool:
        """Whether a larger score means nearer."""
        ...

    @property
    def squared(self) -> bool:
        """Whether nearness, where it is more than an order, is minus the square of the score: under Euclid."""
        ...

    def scores(self, vectors: Any, rows: Rows) -> Floats:
        """The scores of some rows."""
        ...

    def nearest(self, vectors: Any, query: PartQuery) -> tuple[NDArray[np.integer], Floats]:
        """At least the nearest rows that are wanted, as far as there are so many, in no order; and their scores.

        Raises OverEstimateError, TimedOutError.
        """
        ...

    def plan(self, graph: Graph, asked: Asked) -> WalkPlan | None:
        """How far to look in the graph; None where comparing all that may be found is quicker."""
        ...

    def walk(self, graph: Graph, asked: Asked, plan: WalkPlan) -> GraphWalk:
        """A walk by that plan."""
        ...

    def joint(self, division: Division, wanted: int, quantization: QuantizedSearch) -> JointSearch | None:
        """Searching parts together, where that may be done, and ahead."""
        ...

    def us(self, vectors: Any, found: Findable) -> float:
        """About how long comparing all that may be found takes, in microseconds."""
        ...


def nearness(comparison: Comparison, scores: Floats) -> Floats:
    """Scores so that larger is nearer."""
    return scores if comparison.higher_is_nearer else -scores


def closeness(comparison: Comparison, scores: Floats) -> Floats:
    """Scores as what is added up, averaged and weighed: nearness, and for Euclid minus the squared distance."""
    return -scores * scores if comparison.squared else nearness(comparison, scores)


def near_enough(comparison: Comparison, threshold: float | None) -> float:
    """The nearness that a score threshold asks for more than."""
    if threshold is None:
        return -inf
    return threshold if comparison.higher_is_nearer else -threshold


def best(near: NDArray[np.floating], wanted: int) -> NDArray[np.intp]:
    """The places of the ``wanted`` largest, and of those that are as large as the last of them."""
    surplus = len(near) - wanted
    if surplus <= 0:
        return np.arange(len(near))
    return np.flatnonzero(near >= np.partition(near, surplus)[surplus])
