"""Queries of sparse vectors, weighed by how rare their indices are in all shards together."""

import asyncio
from collections.abc import Sequence

import msgspec

from query_api.budget import Budget
from query_api.plan.leaves import Compared, Corpus, Nearest, vectors_of, with_vectors
from query_api.plan.terms import CountTerms
from query_api.ports import Shard
from schemas.vectors.idf import terms_of, weighed, weights


async def weigh(
    shards: Sequence[Shard], leaf: Nearest | Compared, corpus: Corpus, budget: Budget
) -> Nearest | Compared:
    """The leaf with all its vectors weighed. Raises what ``Shard.term_counts`` does."""
    if not shards:
        return msgspec.structs.replace(leaf, idf=None)
    terms = terms_of([leaf.vector] if isinstance(leaf, Nearest) else list(vectors_of(leaf)))
    asked = CountTerms(leaf.using, terms.tobytes(), corpus.filter)
    if len(shards) == 1:
        counts = [await shards[0].term_counts(asked, budget)]
    else:
        counts = await asyncio.gather(*(shard.term_counts(asked, budget) for shard in shards))
    weight = weights(counts)
    if isinstance(leaf, Nearest):
        return msgspec.structs.replace(leaf, vector=weighed(leaf.vector, terms, weight), idf=None)
    return msgspec.structs.replace(with_vectors(leaf, lambda vector: weighed(vector, terms, weight)), idf=None)
