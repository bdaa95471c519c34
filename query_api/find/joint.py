"""Searches of several parts together, which threads of the kernel may do ahead."""

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelPool
from query_api.budget import Allowance, OverEstimateError
from query_api.find.division import Division, Prepared, Walked
from query_api.native import BESIDE_US, Answer

Unfound = tuple[int, bool, str | None]
Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], int, Sequence[Unfound]]
"""As ``KernelParts`` gives it."""


class Candidates(NamedTuple):
    """Places of points with their scores, in no order; the nearest ones, and a few more where scores are close."""

    places: NDArray[np.int64]
    scores: NDArray[np.float32]


class JointSearch:
    """One query in all parts of a division that are searched together: what is near in one part tells what is too far
    in others.

    It is done once, by who needs its end or ahead of that.
    """

    def __init__(
        self, division: Division, prepared: Prepared, measure: str, query: NDArray[np.float32], wanted: int
    ) -> None:
        """``query``: float32 [dim]; ``measure``: as the kernel calls it."""
        self.division = division
        self._prepared = prepared
        self.us = prepared.us
        """About how long it takes from now on, in microseconds."""
        self._measure = measure
        self._query = query
        self._wanted = wanted
        self._found: Found | None = None

    @property
    def divisible(self) -> bool:
        """Whether several threads do it together: where there is enough beside what only one can do."""
        return self._prepared.beside_us > BESIDE_US

    def begin(self, pool: KernelPool, ticket: int) -> None:
        """Have it done by threads of the pool."""
        pool.nearest(ticket, self._prepared.parts, self._measure, self._query, self._wanted)

    def end(self, answer: Answer) -> None:
        """Take what the pool said. What failed there is done again by who needs it, and fails where that is told."""
        if not isinstance(answer, str):
            self._take(answer)

    def nearest(self, allowance: Allowance) -> Candidates:
        """The nearest of all, as many as are wanted and those that are as near, but for what is in parts ``unfound``.

        Raises OverEstimateError, TimedOutError.
        """
        numbers, rows, scores, *_ = self._done(allowance)
        return Candidates(self.division.places(numbers, rows), scores)

    def unfound(self, allowance: Allowance) -> Sequence[Walked]:
        """Where walks led to fewer than are wanted. Raises as ``nearest``."""
        *_, unfound = self._done(allowance)
        if not unfound:
            return ()
        first = len(self.division.scanned)
        walked = [self.division.walked[number - first] for number, *_ in unfound]
        for one, (_, _, damage) in zip(walked, unfound, strict=True):
            if damage is not None:
                one.graph.tell_damage(damage)
        return walked

    def _done(self, allowance: Allowance) -> Found:
        found = self._found
        if found is None:
            prepared = self._prepared
            allowance.spend(prepared.scans_us)
            budget = None
            if self.division.walked and isfinite(allowance.left):
                budget = int(allowance.left / prepared.us_each)
            found = prepared.parts.nearest(self._measure, self._query, self._wanted, budget)
            *_, compared, unfound = found
            allowance.spend(compared * prepared.us_each)
            if any(exhausted for _, exhausted, _ in unfound):
                raise OverEstimateError
            self._take(found)
        return found

    def _take(self, found: Found) -> None:
        self._found, self.us = found, 0.0
