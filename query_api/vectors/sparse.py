"""Sparse vectors compared: the exact inner products with all rows that have an index in common with the query.

Products are summed in float64 in the order of the indices, so equal vectors score equal in whatever part they are.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from projector.segments.graph import Graph
from projector.vectors.sparse import SparseVectors
from query_api.find.selection import Findable
from query_api.vectors.comparison import Asked, Floats, PartQuery, best
from schemas.errors import BadInputError
from schemas.vectors.idf import TermCounts, Terms
from schemas.vectors.sparse import PAIR

_POSTINGS_PER_US = 60.0
_SORTED_PER_US = 10.0
_ALL_BELOW = 4096
_SAMPLED, _ENOUGH, _FEWEST = 64, 3, 4
_LARGEST = float(np.finfo(np.float32).max)


class SparseComparison:
    """One sparse query."""

    higher_is_nearer = True
    squared = False

    def __init__(self, vector: bytes) -> None:
        """``vector``: pairs in ascending order of their indices. Raises BadInputError for what holds no whole pairs."""
        if len(vector) % PAIR.itemsize:
            raise BadInputError("Wrong input: a sparse vector is made of pairs")
        pairs = np.frombuffer(vector, PAIR)
        self._terms: list[int] = pairs["index"].tolist()
        self._weights: list[float] = pairs["value"].astype(np.float64).tolist()

    def nearest(self, vectors: SparseVectors, query: PartQuery) -> tuple[NDArray[np.integer], Floats]:
        """The rows with the largest inner products."""
        query.allowance.spend(self.us(vectors, query.found))
        touched, sums = self._products(vectors)
        rows = _largest(touched, sums, query)
        query.note("postings", "all rows with an index in common", len(touched), len(rows))
        scores = _as_scores(sums[rows])
        chosen = best(scores, query.wanted)
        return rows[chosen], scores[chosen]

    def scores(self, vectors: SparseVectors, rows: NDArray[np.int64]) -> Floats:
        """The inner products of some rows, 0 for those that have no index in common with the query."""
        return _as_scores(self._products(vectors)[1][rows])

    def walk(self, graph: Graph, asked: Asked) -> None:
        """There are no graphs of these."""

    def us(self, vectors: SparseVectors, found: Findable) -> float:
        """About how long it takes to go through the postings; where lists are missing, to make them."""
        missing = vectors.missing
        if missing:
            return missing / _SORTED_PER_US
        spans = (block.lists.postings(term) for block in vectors.blocks for term in self._terms)
        return sum(span.stop - span.start for span in spans if span is not None) / _POSTINGS_PER_US

    def _products(self, vectors: SparseVectors) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The rows that have an index in common with the query, some of them repeatedly; and every row's product."""
        found = [
            (first, lists, span, weight)
            for first, lists in vectors.blocks
            for term, weight in zip(self._terms, self._weights, strict=True)
            # As in Qdrant, an index that weighs nothing finds nothing.
            if (span := lists.postings(term)) is not None and weight != 0.0
        ]
        total = sum(span.stop - span.start for _, _, span, _ in found)
        rows, products = np.empty(total, np.intp), np.empty(total)
        at = 0
        for first, lists, span, weight in found:
            here = slice(at, at + span.stop - span.start)
            rows[here] = lists.rows[span]
            rows[here] += first
            np.multiply(lists.values[span], weight, out=products[here], dtype=np.float64)
            at = here.stop
        sums = np.bincount(rows, products, minlength=vectors.rows)
        return rows, cast("NDArray[np.float64]", sums)


def _as_scores(sums: NDArray[np.float64]) -> Floats:
    return np.clip(sums, -_LARGEST, _LARGEST).astype(np.float32)


def _largest(touched: NDArray[np.intp], sums: NDArray[np.float64], query: PartQuery) -> NDArray[np.intp]:
    """Those of the touched rows that may be found and be among the nearest: a few more than wanted, or all.

    What every so many rows have tells how large a sum must be. Where that turns out to be too much, all are taken.
    """
    found = query.found
    aim = (_ENOUGH * query.wanted) // _SAMPLED + _FEWEST
    sample = sums[::_SAMPLED]
    if not found.everything:
        sample = sample[found.keep(np.arange(0, len(sums), _SAMPLED))]
    if len(touched) > _ALL_BELOW and len(sample) > aim:
        least = float(np.partition(sample, len(sample) - aim)[len(sample) - aim])
        if least > 0.0:
            rows = np.flatnonzero(sums > least)
            if not found.everything:
                rows = rows[found.keep(rows)]
            surplus = len(rows) - query.wanted
            # Sums that are equal as scores are equally near.
            if surplus >= 0 and np.float32(np.partition(sums[rows], surplus)[surplus]) > np.float32(least):
                return rows
    present = np.zeros(len(sums), np.bool_)
    present[touched] = True
    rows = np.flatnonzero(present)
    return rows if found.everything else rows[found.keep(rows)]


def count_postings(vectors: SparseVectors, found: Findable, terms: Terms) -> TermCounts:
    """How many of the rows that may be found have anything, and each of ``terms``. As in Qdrant, what is empty is not
    counted.
    """
    counts = np.zeros(len(terms), np.int64)
    numbers: list[int] = terms.tolist()
    for first, lists in vectors.blocks:
        for at, term in enumerate(numbers):
            span = lists.postings(term)
            if span is not None:
                whole = span.stop - span.start
                rows = lists.rows[span]
                counts[at] += whole if found.everything else np.count_nonzero(found.keep(rows + np.int64(first)))
    empty = len(vectors.empty) if found.everything else np.count_nonzero(found.keep(vectors.empty))
    return TermCounts(found.count - int(empty), counts)
