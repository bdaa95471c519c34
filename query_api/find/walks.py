"""Walks through graphs, which may be done ahead, on threads of the kernel."""

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelFinish, KernelPool
from projector.segments.graph import Graph, Walk
from query_api.budget import Allowance, OverEstimateError
from query_api.find.selection import Findable
from query_api.find.strategy import WalkPlan
from query_api.native import Answer


class GraphWalk:
    """One walk: done once, by who needs its end or ahead of that."""

    divisible = False

    def __init__(
        self,
        graph: Graph,
        query: NDArray[Any],
        found: Findable,
        wanted: int,
        plan: WalkPlan,
        *,
        coded: bool = False,
        finish: KernelFinish | None = None,
        enough: int | None = None,
    ) -> None:
        """``query``: float32 [dim]; where ``coded``, prepared for the graph's codes.

        ``wanted``: how many of ``found`` to find at least. ``finish``: compares what was found exactly; at least
        ``enough`` come of that, which is as many unless it is said.
        """
        self.graph = graph
        self.query = query
        self.plan = plan
        self.wanted = wanted
        self._coded = coded
        self._finish = finish
        self._enough = wanted if enough is None else enough
        self.found = found
        self._allowed: NDArray[np.bool_] | None = None
        self._walked: Walk | None = None

    @property
    def us(self) -> float:
        """About how long it takes from now on, in microseconds."""
        return self.plan.us if self._walked is None else 0.0

    def begin(self, pool: KernelPool, ticket: int) -> None:
        """Have it done by a thread of the pool."""
        plan = self.plan
        self.graph.begin(
            pool,
            ticket,
            self.query,
            self.wanted,
            plan.ef,
            self._mask(),
            plan.budget,
            coded=self._coded,
            finish=self._finish,
        )

    def end(self, answer: Answer) -> None:
        """Take what the pool said."""
        self._walked = self.graph.walked(answer)

    def walked(self, allowance: Allowance) -> Walk:
        """What it found. Raises OverEstimateError where it turns out to be long, TimedOutError."""
        if self._walked is None:
            allowance.spend(0.0)
            plan, budget = self.plan, self.plan.budget
            if isfinite(allowance.left):
                affordable = int(allowance.left / plan.us_each)
                budget = affordable if budget is None else min(budget, affordable)
            walk = self.graph.search(
                self.query, self.wanted, plan.ef, self._mask(), budget, coded=self._coded, finish=self._finish
            )
            allowance.spend(walk.compared * plan.us_each)
            if walk.exhausted and budget != plan.budget:
                raise OverEstimateError
            self._walked = walk
        return self._walked

    def spread(self, allowance: Allowance) -> tuple[NDArray[np.uint32], NDArray[np.float32]] | None:
        """The rows that it leads to and that may be found, nearest first, and their distances: not compared exactly.

        None when they are fewer than it wants. Raises as ``walked``.
        """
        there = self.walked(allowance)
        if there.exhausted:
            return None
        found = self.graph.spread(there, self.wanted, self.found.kept(self.graph.repeats))
        return None if found is None or len(found[0]) < self.wanted else found

    def nearest(self, allowance: Allowance) -> tuple[NDArray[np.integer], NDArray[np.float32]] | None:
        """Of what it leads to, where that is compared exactly, the nearest and those that are as near; their scores.

        None when they are fewer than it wants. Raises as ``walked``.
        """
        there = self.walked(allowance)
        return None if len(there.rows) < self._enough else (there.rows, there.distances)

    def _mask(self) -> NDArray[np.bool_] | None:
        if self._allowed is None:
            self._allowed = self.found.allowed(self.graph.repeats)
        return self._allowed
