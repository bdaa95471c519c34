"""How many vectors of a shard have which indices."""

from collections.abc import Iterator

import numpy as np

from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.find.selection import Findable
from query_api.plan.leaves import Nearest
from query_api.vectors.registry import comparison_of, term_counts
from schemas.vectors.idf import TermCounts, terms_of


def count_terms(view: ShardView, leaf: Nearest) -> TermCounts:
    """The live vectors that the leaf is about, and how many of them have each of its indices."""
    terms = terms_of(leaf.vector)
    total, having = 0, np.zeros(len(terms), np.int64)
    for part in _parts(view, leaf):
        vectors = part.vectors(leaf.using)
        if vectors is not None:
            found = Findable(part, vectors, None)
            total += found.count
            having += term_counts(vectors, found, terms)
    return TermCounts(total, having)


def count_terms_us(view: ShardView, leaf: Nearest) -> float:
    """About how long that takes, in microseconds."""
    if leaf.using not in view.config.names:
        return 0.0
    comparison = comparison_of(view.config.names[leaf.using], leaf.vector)
    spent = 0.0
    for part in _parts(view, leaf):
        vectors = part.vectors(leaf.using)
        if vectors is not None:
            spent += comparison.us(vectors, Findable(part, vectors, None))
    return spent


def _parts(view: ShardView, leaf: Nearest) -> Iterator[Part]:
    return (part for part in view.parts if part.vectors(leaf.using) is not None)
