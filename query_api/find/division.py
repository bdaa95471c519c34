"""How the parts of a view are searched for the nearest, whatever the query vector: the same for many searches."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelParts
from projector.segments.graph import Graph
from projector.view.part import slots_of_rows
from query_api.find.selection import Findable
from query_api.find.strategy import WalkPlan
from query_api.find.target import Target
from query_api.plan.leaves import QuantizedSearch


class Asked(NamedTuple):
    """What is asked of one part: the ``wanted`` nearest of what is ``found``, looking ``ef`` far in the graph.

    ``quantization``: what is said of codes, where there are any.
    """

    found: Findable
    wanted: int
    ef: int
    quantization: QuantizedSearch


class Walked(NamedTuple):
    """A part that is walked, together with others, in its ``graph``."""

    target: Target
    graph: Graph
    asked: Asked
    plan: WalkPlan


class Alone(NamedTuple):
    """A part that is searched by itself. ``plan``: None where its ``graph`` is not walked, and its codes compared."""

    target: Target
    graph: Graph
    asked: Asked
    plan: WalkPlan | None


class Prepared:
    """What threads of the kernel do in some parts, whatever the query."""

    def __init__(
        self, make: Callable[[], KernelParts], scans_us: float, plans: Sequence[WalkPlan], *, final: bool
    ) -> None:
        """``make``: only called where it comes to that, as masks of what may be found may have to be made.

        ``scans_us``: about how long scans take one thread, in microseconds; ``plans``: of walks. ``final``: whether
        nothing better can be prepared of the same parts later.
        """
        self._make = make
        self._parts: KernelParts | None = None
        self.scans_us = scans_us
        self.us = scans_us + sum(plan.us for plan in plans)
        """About how long all takes one thread, in microseconds."""
        self.beside_us = self.us - max((plan.us for plan in plans), default=0.0)
        """The same beside the longest walk, which only one thread can do."""
        self.us_each = max((plan.us_each for plan in plans), default=0.0)
        """How long comparing a row takes a walk, at most."""
        self.final = final

    @property
    def parts(self) -> KernelParts:
        """What the kernel looks at."""
        if self._parts is None:
            self._parts = self._make()
        return self._parts


class Division:
    """The parts of a view by how they are searched: all ``scanned`` and ``walked`` ones together."""

    def __init__(self, scanned: Sequence[Target], walked: Sequence[Walked], alone: Sequence[Alone]) -> None:
        self.scanned = scanned
        self.walked = sorted(walked, key=lambda one: -one.plan.us)
        """The longest first: threads begin with it."""
        self.alone = alone
        together = [*scanned, *[one.target for one in self.walked]]
        self.together: Sequence[Target] = together
        """In the order of their numbers."""
        self._prepared: Prepared | None = None
        self._first = np.array([target.place for target in together], np.int64)
        self._rows_are_slots = all(target.vectors.slots is None for target in together)

    def prepared(self, prepare: Callable[["Division"], Prepared]) -> Prepared:
        """What ``prepare`` makes of those that are searched together, once that is final."""
        known = self._prepared
        if known is None:
            known = prepare(self)
            if known.final:
                self._prepared = known
        return known

    def places(self, numbers: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where rows are; ``numbers``: in which part of those each is, ascending."""
        if self._rows_are_slots:
            return self._first[numbers] + rows
        starts = numbers.searchsorted(np.arange(len(self.together) + 1))
        return np.concatenate(
            [
                slots_of_rows(target.vectors, rows[start:end]) + target.place
                for target, start, end in zip(self.together, starts[:-1], starts[1:], strict=True)
            ]
        )
