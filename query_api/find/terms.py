"""How many vectors of a shard have which indices."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.budget import INLINE_US
from query_api.find.kinds import filter_us
from query_api.find.selection import Findable
from query_api.plan.terms import CountTerms
from query_api.vectors.registry import comparison_of, term_counts
from schemas.vectors.idf import TermCounts
from schemas.vectors.sparse import PAIR


def count_terms(view: ShardView, asked: CountTerms) -> TermCounts:
    """The live vectors, and how many of them have each of the terms."""
    terms = _terms(asked)
    total, having = 0, np.zeros(len(terms), np.int64)
    for part in _parts(view, asked.using):
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
    if spent > INLINE_US or asked.using not in view.config.names:
        return spent
    terms = _terms(asked)
    pairs = np.ones(len(terms), PAIR)
    pairs["index"] = terms
    comparison = comparison_of(view.config.names[asked.using], pairs.tobytes())
    for part in _parts(view, asked.using):
        vectors = part.vectors(asked.using)
        if vectors is not None:
            spent += comparison.us(vectors, Findable(part, vectors, asked.filter))
    return spent


def _terms(asked: CountTerms) -> NDArray[np.uint32]:
    return np.frombuffer(asked.terms, np.uint32)


def _parts(view: ShardView, using: str) -> Iterator[Part]:
    return (part for part in view.parts if part.vectors(using) is not None)
