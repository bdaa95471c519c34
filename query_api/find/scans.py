"""Scans of all that may be found, which threads of the kernel may do ahead: those of all parts together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelCodedQuery, KernelPool, nearest, nearest_of_scans
from query_api.budget import Allowance
from query_api.find.selection import Findable
from query_api.native import Answer

Nearest = tuple[NDArray[np.int64], NDArray[np.float32]]
_NOTHING: Nearest = np.empty(0, np.int64), np.empty(0, np.float32)


class Scan:
    """One scan: done once, by who needs its end or ahead of that."""

    def __init__(
        self,
        matrix: NDArray[Any],
        measure: str,
        query: NDArray[np.float32],
        found: Findable,
        wanted: int,
        scan_us: float,
        codes: KernelCodedQuery | None = None,
    ) -> None:
        """``matrix``: [rows, dim], of which those ``found`` are compared with ``query``, float32 [dim].

        ``measure``: as the kernel calls it. ``scan_us``: about how long one thread takes, in microseconds. ``codes``:
        the query for the rows' search codes.
        """
        self.matrix = matrix
        self.measure = measure
        self.query = query
        self.found = found
        self.wanted = wanted
        self.codes = codes
        self._us = scan_us
        self._nearest: Nearest | None = None

    @property
    def us(self) -> float:
        """About how long it takes from now on, in microseconds."""
        return self._us if self._nearest is None else 0.0

    def take(self, found: Nearest) -> None:
        """Take what was found ahead."""
        self._nearest = found

    def nearest(self, allowance: Allowance) -> Nearest:
        """The rows that are nearest, as many as are wanted and those that are as near, ascending, and their scores.

        Where it was done ahead, those of them that are among the nearest of all that was compared then. Raises
        OverEstimateError, TimedOutError.
        """
        if self._nearest is None:
            allowance.spend(self._us)
            self._nearest = nearest(
                self.matrix, self.measure, self.query, self.wanted, self.found.chosen(), codes=self.codes
            )
        return self._nearest


class Scans:
    """The scans of one search, which want the same: done together, what is near in one tells what is too far in others.

    Of each the answer is what is among the nearest of all.
    """

    divisible = True

    def __init__(self, scans: Sequence[Scan]) -> None:
        """``scans``: at least one."""
        self._scans = scans

    @property
    def us(self) -> float:
        """About how long they take from now on, in microseconds."""
        return sum([scan.us for scan in self._scans])

    def begin(self, pool: KernelPool, ticket: int) -> None:
        """Have them done by threads of the pool."""
        first = self._scans[0]
        pool.nearest(ticket, self._asked(), first.measure, first.query, first.wanted)

    def run(self, allowance: Allowance) -> None:
        """Do what was not done ahead. Raises OverEstimateError, TimedOutError."""
        if us := self.us:
            allowance.spend(us)
            first = self._scans[0]
            self.end(nearest_of_scans(self._asked(), first.measure, first.query, first.wanted))

    def _asked(self) -> Sequence[tuple[NDArray[Any], NDArray[Any] | None, KernelCodedQuery | None]]:
        return [(scan.matrix, scan.found.chosen(), scan.codes) for scan in self._scans]

    def end(self, answer: Answer) -> None:
        """Take what the pool said. What failed there is done again by who needs it, and fails where that is told."""
        if isinstance(answer, str):
            return
        numbers, rows, scores = answer
        if len(self._scans) == 1:
            self._scans[0].take((rows, scores))
            return
        ends = numbers.searchsorted(np.arange(len(self._scans)), "right").tolist()
        start = 0
        for scan, end in zip(self._scans, ends, strict=True):
            scan.take((rows[start:end], scores[start:end]) if end > start else _NOTHING)
            start = end
