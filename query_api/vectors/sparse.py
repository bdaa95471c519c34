"""Sparse vectors compared: the exact inner products with all rows that have an index in common with the query.

Products are summed in float64 in the order of the indices, so equal vectors score equal in whatever part they are.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from projector.kernel import sparse_scores
from projector.segments.graph import Graph
from projector.vectors.sparse import SparseVectors
from query_api.find.division import Asked, Division
from query_api.find.selection import Findable
from query_api.find.strategy import WalkPlan
from query_api.find.walks import GraphWalk
from query_api.plan.leaves import QuantizedSearch
from query_api.vectors.comparison import Floats, PartQuery, best
from schemas.errors import BadInputError
from schemas.vectors.idf import TermCounts, Terms
from schemas.vectors.sparse import PAIR

Rows = NDArray[np.int64]

_POSTINGS_PER_US = 300.0
_SORTED_PER_US = 10.0
_POSTINGS_PER_ROW = 25
"""How many postings take as long as one row's pairs do."""


class SparseComparison:
    """One sparse query."""

    higher_is_nearer = True
    squared = False

    def __init__(self, vector: bytes) -> None:
        """``vector``: pairs in ascending order of their indices. Raises BadInputError for what holds no whole pairs."""
        if len(vector) % PAIR.itemsize:
            raise BadInputError("Wrong input: a sparse vector is made of pairs")
        pairs = np.frombuffer(vector, PAIR)
        self._terms = np.ascontiguousarray(pairs["index"])
        self._weights = pairs["value"].astype(np.float64)
        self._counted: tuple[SparseVectors, int] | None = None

    def nearest(self, vectors: SparseVectors, query: PartQuery) -> tuple[NDArray[np.integer], Floats]:
        """The rows with the largest inner products."""
        found = query.found
        query.allowance.spend(self.us(vectors, found))
        if self._few(vectors, found):
            rows = found.passing_rows()
            products = self._products(vectors, rows)
            query.note("pairs", "those of all rows that pass", found.count, min(found.count, query.wanted))
            common = ~np.isnan(products)
            rows, products = rows[common], products[common]
        else:
            pieces = list(self._by_postings(vectors, query))
            if len(pieces) == 1:
                rows, products = pieces[0]
            else:
                rows = np.concatenate([rows for rows, _ in pieces])
                products = np.concatenate([products for _, products in pieces])
            query.note("postings", "all rows with an index in common", self._postings(vectors), len(rows))
        chosen = best(products, query.wanted)
        return rows[chosen], products[chosen]

    def scores(self, vectors: SparseVectors, rows: NDArray[np.int64]) -> Floats:
        """The inner products of some rows, 0 for those that have no index in common with the query."""
        return np.nan_to_num(self._products(vectors, rows), copy=False)

    def plan(self, graph: Graph, asked: Asked) -> None:
        """There are no graphs of these."""

    def walk(self, graph: Graph, asked: Asked, plan: WalkPlan) -> GraphWalk:
        """There are no graphs of these."""
        raise NotImplementedError

    def joint(self, division: Division, wanted: int, quantization: QuantizedSearch) -> None:
        """It is not done together."""

    def us(self, vectors: SparseVectors, found: Findable) -> float:
        """About how long it takes to go through the postings; where lists are missing, to make them."""
        missing = vectors.missing
        if missing:
            return missing / _SORTED_PER_US
        return min(self._postings(vectors), _POSTINGS_PER_ROW * found.count) / _POSTINGS_PER_US

    def _few(self, vectors: SparseVectors, found: Findable) -> bool:
        """Whether going through the pairs of what may be found is quicker than through the postings."""
        if found.everything:
            return False
        if vectors.missing:
            return found.count * _SORTED_PER_US < vectors.missing
        return found.count * _POSTINGS_PER_ROW < self._postings(vectors)

    def _postings(self, vectors: SparseVectors) -> int:
        """How many there are of the query's indices. Planning asks before searching does."""
        if self._counted is None or self._counted[0] is not vectors:
            self._counted = vectors, sum(int(lists.kernel.counts(self._terms).sum()) for _, lists in vectors.blocks)
        return self._counted[1]

    def _by_postings(self, vectors: SparseVectors, query: PartQuery) -> Iterator[tuple[Rows, Floats]]:
        mask = None if query.found.everything else query.found.found().mask()
        for first, lists in vectors.blocks:
            allowed = None if mask is None else mask[first : first + lists.size]
            rows, products = lists.kernel.nearest(self._terms, self._weights, query.wanted, allowed)
            yield rows + first if first else rows, products

    def _products(self, vectors: SparseVectors, rows: Rows) -> Floats:
        """The inner products of some rows, NaN for those that have no index in common with the query."""
        pairs = vectors.items.view(np.uint32).reshape(-1, 2)
        return sparse_scores(pairs, vectors.ends, self._terms, self._weights, rows)


def count_postings(vectors: SparseVectors, found: Findable, terms: Terms) -> TermCounts:
    """How many of the rows that may be found have anything, and each of ``terms``. As in Qdrant, what is empty is not
    counted.
    """
    mask = None if found.everything else found.found().mask()
    counts = np.zeros(len(terms), np.int64)
    for first, lists in vectors.blocks:
        counts += lists.kernel.counts(terms, None if mask is None else mask[first : first + lists.size])
    empty = len(vectors.empty) if mask is None else np.count_nonzero(mask[vectors.empty])
    return TermCounts(found.count - int(empty), counts)


def count_us(vectors: SparseVectors, found: Findable, terms: Terms) -> float:
    """About how long that takes, in microseconds."""
    if vectors.missing:
        return vectors.missing / _SORTED_PER_US
    if found.everything:
        return 0.0
    return sum(int(lists.kernel.counts(terms).sum()) for _, lists in vectors.blocks) / _POSTINGS_PER_US
