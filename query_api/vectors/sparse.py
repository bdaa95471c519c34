"""Sparse vectors compared: the exact inner products with all rows that have an index in common with the query.

Products are summed in float64 in the order of the indices, so equal vectors score equal in whatever part they are.
"""

import numpy as np
from numpy.typing import NDArray

from projector.vectors.sparse import SparseVectors
from query_api.find.selection import Findable
from query_api.vectors.comparison import Floats, PartQuery, best
from schemas.errors import BadInputError
from schemas.vectors.idf import TermCounts, Terms
from schemas.vectors.sparse import PAIR

_POSTINGS_PER_US = 60.0
_SORTED_PER_US = 10.0
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
        rows, scores = self._products(vectors)
        if not query.found.everything:
            keep = query.found.keep(rows)
            rows, scores = rows[keep], scores[keep]
        query.note("postings", "all rows with an index in common", len(rows), len(rows))
        chosen = best(scores, query.wanted)
        return rows[chosen], scores[chosen]

    def scores(self, vectors: SparseVectors, rows: NDArray[np.int64]) -> Floats:
        """The inner products of some rows, 0 for those that have no index in common with the query."""
        found, scores = self._products(vectors)
        every = np.zeros(vectors.rows, np.float32)
        every[found] = scores
        return every[rows]

    def us(self, vectors: SparseVectors, found: Findable) -> float:
        """About how long it takes to go through the postings; where lists are missing, to make them."""
        missing = vectors.missing
        if missing:
            return missing / _SORTED_PER_US
        spans = (block.lists.postings(term) for block in vectors.blocks for term in self._terms)
        return sum(span.stop - span.start for span in spans if span is not None) / _POSTINGS_PER_US

    def _products(self, vectors: SparseVectors) -> tuple[NDArray[np.int64], Floats]:
        rows: list[NDArray[np.integer]] = []
        products: list[NDArray[np.float64]] = []
        for first, lists in vectors.blocks:
            for term, weight in zip(self._terms, self._weights, strict=True):
                span = lists.postings(term)
                # As in Qdrant, an index that weighs nothing finds nothing.
                if span is not None and weight != 0.0:
                    rows.append(lists.rows[span] + np.int64(first) if first else lists.rows[span])
                    products.append(lists.values[span].astype(np.float64) * weight)
        if not rows:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        touched = np.concatenate(rows)
        sums = np.bincount(touched, np.concatenate(products), minlength=vectors.rows)
        present = np.zeros(vectors.rows, np.bool_)
        present[touched] = True
        found = np.flatnonzero(present)
        return found, np.clip(sums[found], -_LARGEST, _LARGEST).astype(np.float32)


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
