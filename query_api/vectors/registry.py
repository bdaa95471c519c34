"""Which kind a query vector is of."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from projector.vectors.kind import Vectors
from projector.vectors.sparse import SparseVectors
from query_api.find.selection import Findable
from query_api.vectors.comparison import Comparison, Floats, SomeRows
from query_api.vectors.dense import DenseComparison
from query_api.vectors.multi import MultiComparison
from query_api.vectors.sparse import SparseComparison, count_postings, count_us
from schemas.vectors.dense import DenseKind
from schemas.vectors.idf import TermCounts, Terms
from schemas.vectors.registry import AnyKind
from schemas.vectors.sparse import SparseKind


def comparison_of(kind: AnyKind, vector: bytes) -> Comparison:
    """Prepare a query vector, in the bytes of its kind. Raises BadInputError for one that doesn't fit."""
    if isinstance(kind, DenseKind):
        return DenseComparison(kind, vector)
    return SparseComparison(vector) if isinstance(kind, SparseKind) else MultiComparison(kind, vector)


def score_table(comparisons: Sequence[Comparison], vectors: Any, rows: SomeRows) -> Floats:
    """The scores of some rows with several queries of one name, float32 [queries, rows]."""
    dense = [comparison for comparison in comparisons if isinstance(comparison, DenseComparison)]
    if len(dense) == len(comparisons):
        return DenseComparison.table(dense, vectors, rows)
    listed = np.arange(rows.start, rows.stop) if isinstance(rows, range) else rows
    return np.stack([comparison.scores(vectors, listed) for comparison in comparisons])


def term_counts(vectors: Vectors, found: Findable, terms: Terms) -> TermCounts:
    """How many vectors may be found, and how many of them have each of ``terms``; none that aren't sparse."""
    if isinstance(vectors, SparseVectors):
        return count_postings(vectors, found, terms)
    return TermCounts(0, np.zeros(len(terms), np.int64))


def term_counts_us(vectors: Vectors, found: Findable, terms: Terms) -> float:
    """About how long that takes, in microseconds."""
    return count_us(vectors, found, terms) if isinstance(vectors, SparseVectors) else 0.0
