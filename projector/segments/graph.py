"""HNSW graphs (Malkov and Yashunin 2016): built by hnswlib, walked by the kernel over the rows where they lie.

There is none for Manhattan, which hnswlib does not know: such vectors are always searched exactly. Of rows with equal
vectors only the first is in a graph.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.kernel import (
    DamagedGraphError,
    KernelFinish,
    KernelGraph,
    KernelPassing,
    KernelPool,
    KernelRescoring,
    KernelSearchCodes,
)
from projector.quantization.codes import Codes
from projector.quantization.search_codes import SearchCodes
from projector.segments.graph_links import Links
from projector.segments.repeats import Repeats
from schemas.config import Distance

SPACES = {Distance.COSINE: "ip", Distance.DOT: "ip", Distance.EUCLID: "l2"}
"""hnswlib's names."""
_DAMAGE = DamagedGraphError, IndexError
"""What the kernel raises for links, and for repeats and slots, that lead to no row."""
_METRICS = {Distance.COSINE: "dot", Distance.DOT: "dot", Distance.EUCLID: "squared"}


def supports(distance: Distance) -> bool:
    """Whether there are graphs for this distance."""
    return distance in SPACES


WalkedPart = tuple[
    KernelGraph, KernelRescoring, KernelGraph | None, KernelSearchCodes | None, KernelPassing | None, int, int
]
"""A part that is walked, as ``KernelParts`` takes it."""


class Walk(NamedTuple):
    """``rows``, uint32, nearest first, and their ``distances``, float32; ``compared``: how many rows were compared.

    ``exhausted``: the budget was used up before the walk had its end, so that nearer rows may be missing. Where what a
    walk led to was compared exactly then, ``rows`` are what came of that, int64, ascending, and ``distances`` scores.
    """

    rows: NDArray[Any]
    distances: NDArray[np.float32]
    compared: int
    exhausted: bool


class Graph:
    """One graph over rows. Searches may come from any number of threads at once; they hold no interpreter lock."""

    def __init__(
        self,
        links: Links,
        matrix: NDArray[Any],
        distance: Distance,
        repeats: Repeats,
        codes: Codes | None = None,
        search_codes: SearchCodes | None = None,
    ) -> None:
        """``matrix``: [rows, dim] of float32, float16 or uint8, normalised for Cosine; not copied.

        ``codes``: theirs, as they were asked for; else ``search_codes``.

        ``repeats``: the rows that are not in the graph, beside those that stand for them. Raises ValueError for links
        that don't fit.
        """
        self.metric = _METRICS[distance]
        self.codes = codes
        self.search_codes = search_codes
        self._kernel = KernelGraph(matrix, self.metric, links.base, links.upper, links.entry)
        if codes is not None:
            self._coded = KernelGraph(codes.rows, codes.quantizer.form, links.base, links.upper, links.entry)
        elif search_codes is not None:
            self._coded = KernelGraph(search_codes.rows, "bytes", links.base, links.upper, links.entry)
        self._told = False
        self.repeats = repeats
        self.rescoring = KernelRescoring(matrix, distance.lower(), repeats.firsts, repeats.ends, repeats.rows)
        """What follows a walk: repeats, what may not be found, exact scores."""
        self.size = len(matrix) - len(repeats.rows)

    def search(
        self,
        query: NDArray[Any],
        wanted: int,
        ef: int,
        allowed: NDArray[np.bool_] | None = None,
        budget: int | None = None,
        *,
        coded: bool = False,
        finish: KernelFinish | None = None,
    ) -> Walk:
        """The distinct rows nearest to ``query``, float32 [dim], as far as looking ``ef`` far leads there.

        At least ``wanted`` and at most max(wanted, ef), fewer where parts of the graph can't be reached; of a damaged
        graph none.

        ``allowed``, bool [rows], says which rows may be found (``Repeats.stand_ins``); about ``budget`` rows are
        compared at most. Distances are hnswlib's: 1 - dot product for Cosine and Dot, the squared length of the
        difference for Euclid. Where ``coded``, by codes, which there must be, for a prepared query, uint8: distances
        are about as they should be. ``finish``, of ``rescoring``, compares exactly what it leads to.
        """
        kernel = self._coded if coded else self._kernel
        try:
            return Walk(*kernel.search(query, wanted, ef, allowed, budget, finish))
        except _DAMAGE as error:
            return self.walked(str(error))

    def begin(
        self,
        pool: KernelPool,
        ticket: int,
        query: NDArray[Any],
        wanted: int,
        ef: int,
        allowed: NDArray[np.bool_] | None,
        budget: int | None,
        *,
        coded: bool,
        finish: KernelFinish | None,
    ) -> None:
        """Have a thread of ``pool`` search likewise, by codes where ``coded``; ``walked`` takes what it says then."""
        pool.walk(ticket, self._coded if coded else self._kernel, query, wanted, ef, allowed, budget, finish)

    def walked_part(self, wanted: int, ef: int, passing: KernelPassing | None, *, coded: bool) -> WalkedPart:
        """What searches of several parts together do here: find so many of what is ``passing``, None for all rows.

        ``coded``: by search codes, where there are any.
        """
        codes = self.search_codes if coded else None
        if codes is None:
            return self._kernel, self.rescoring, None, None, passing, wanted, ef
        return self._kernel, self.rescoring, self._coded, codes.kernel, passing, wanted, ef

    def spread(
        self, walk: Walk, most: int, passing: KernelPassing | None
    ) -> tuple[NDArray[np.uint32], NDArray[np.float32]] | None:
        """What a walk led to, as far as it is ``passing``, None for all, and up to ``most`` repeats of each row.

        Rows and distances, nearest first, as the walk gave them; None where the graph is damaged.
        """
        try:
            return self.rescoring.spread(walk.rows, walk.distances, most, passing)
        except _DAMAGE as error:
            self.tell_damage(str(error))
            return None

    def walked(self, answer: tuple[NDArray[Any], NDArray[np.float32], int, bool] | str) -> Walk:
        """What the kernel said: what it found, or how the graph is damaged."""
        if not isinstance(answer, str):
            return Walk(*answer)
        self.tell_damage(answer)
        return Walk(np.empty(0, np.uint32), np.empty(0, np.float32), 0, exhausted=True)

    def tell_damage(self, reason: str) -> None:
        """Say, once, what the kernel said of it. Without it, search is exact."""
        # Its checksum was right when it was opened.
        if not self._told:
            self._told = True
            # Builders import this module and log nothing: a third of the time they take to start would be for this.
            import structlog

            structlog.get_logger("headwater.segments").error("a graph in use is damaged", reason=reason)
