"""How many vectors of a shard have which indices."""

import numpy as np
from numpy.typing import NDArray

from projector.view.shard_view import ShardView
from query_api.budget import INLINE_US
from query_api.find.kinds import filter_us
from query_api.find.selection import Findable
from query_api.plan.terms import CountTerms
from query_api.vectors.registry import term_counts, term_counts_us
from schemas.vectors.idf import TermCounts


def count_terms(view: ShardView, asked: CountTerms) -> TermCounts:
    """The live vectors, and how many of them have each of the terms."""
    terms = _terms(asked)
    total, having = 0, np.zeros(len(terms), np.int64)
    for part in view.parts:
        vectors = part.vectors(asked.using)
        if vectors is not None:
            found = Findable(part, vectors, asked.filter)
            counted = term_counts(vectors, found, terms)
            total += counted.vectors
            having += counted.having
    return TermCounts(total, having)


def count_terms_us(view: ShardView, asked: CountTerms) -> float:
    """About how long that takes, in microseconds."""
    spent = filter_us(view, asked.filter)
    if spent > INLINE_US:
        return spent
    terms = _terms(asked)
    for part in view.parts:
        vectors = part.vectors(asked.using)
        if vectors is not None:
            spent += term_counts_us(vectors, Findable(part, vectors, asked.filter), terms)
    return spent


def _terms(asked: CountTerms) -> NDArray[np.uint32]:
    return np.frombuffer(asked.terms, np.uint32)
