"""Scans of all that may be found, which threads of the kernel may do together, ahead."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelCodedQuery, KernelPool, nearest
from query_api.budget import Allowance
from query_api.find.selection import Findable
from query_api.native import Answer

Nearest = tuple[NDArray[np.int64], NDArray[np.float32]]


class Scan:
    """One scan: done once, by who needs its end or ahead of that."""

    divisible = True

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
        self._matrix = matrix
        self._measure = measure
        self._query = query
        self._found = found
        self._wanted = wanted
        self._us = scan_us
        self._codes = codes
        self._nearest: Nearest | None = None

    @property
    def us(self) -> float:
        """About how long it takes from now on, in microseconds."""
        return self._us if self._nearest is None else 0.0

    def begin(self, pool: KernelPool, ticket: int) -> None:
        """Have it done by threads of the pool."""
        chosen = self._found.chosen()
        pool.nearest(ticket, self._matrix, self._measure, self._query, self._wanted, chosen, self._codes)

    def end(self, answer: Answer) -> None:
        """Take what the pool said. What failed there is done again by who needs it, and fails where that is told."""
        if not isinstance(answer, str):
            self._nearest = answer

    def nearest(self, allowance: Allowance) -> Nearest:
        """The rows that are nearest, as many as are wanted and those that are as near, ascending, and their scores.

        Raises OverEstimateError, TimedOutError.
        """
        if self._nearest is None:
            allowance.spend(self._us)
            chosen = self._found.chosen()
            self._nearest = nearest(self._matrix, self._measure, self._query, self._wanted, chosen, codes=self._codes)
        return self._nearest
