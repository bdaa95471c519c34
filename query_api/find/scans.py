"""Scans of all that may be found, which threads of the kernel may do ahead: those of all parts together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelPool
from query_api.budget import Allowance
from query_api.find.targets import Prepared, TargetGroup
from query_api.native import Answer

Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]
"""Numbers of targets, rows and scores, by target and row."""


class Candidates(NamedTuple):
    """Places of points with their scores, in no order; the nearest ones, and a few more where scores are close."""

    places: NDArray[np.int64]
    scores: NDArray[np.float32]


class Scans:
    """The scans of one search: done together, what is near in one part tells what is too far in others.

    They are done once, by who needs their end or ahead of that.
    """

    divisible = True

    def __init__(
        self, group: TargetGroup, prepared: Prepared, measure: str, query: NDArray[np.float32], wanted: int
    ) -> None:
        """``query``: float32 [dim]; ``measure``: as the kernel calls it."""
        self.group = group
        self._prepared = prepared
        self.us = prepared.us
        """About how long they take from now on, in microseconds."""
        self._measure = measure
        self._query = query
        self._wanted = wanted
        self._found: Found | None = None

    def begin(self, pool: KernelPool, ticket: int) -> None:
        """Have them done by threads of the pool."""
        pool.nearest(ticket, self._prepared.scans, self._measure, self._query, self._wanted)

    def end(self, answer: Answer) -> None:
        """Take what the pool said. What failed there is done again by who needs it, and fails where that is told."""
        if not isinstance(answer, str):
            self._take(answer)

    def nearest(self, allowance: Allowance) -> Candidates:
        """The nearest of all, as many as are wanted and those that are as near.

        Raises OverEstimateError, TimedOutError.
        """
        found = self._found
        if found is None:
            allowance.spend(self.us)
            found = self._prepared.scans.nearest(self._measure, self._query, self._wanted)
            self._take(found)
        numbers, rows, scores = found
        return Candidates(self.group.places(numbers, rows), scores)

    def _take(self, found: Found) -> None:
        self._found, self.us = found, 0.0
