"""The modifier ``idf``: a sparse query's values are weighed by how rare their indices are.

As in Qdrant (and BM25), an index that n of N vectors have weighs ln(1 + (N - n + 0.5) / (n + 0.5)).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.vectors.params import AnyVectorParams, Modifier, SparseVectorParams
from schemas.vectors.sparse import PAIR

Terms = NDArray[np.uint32]
"""uint32 [terms], ascending: indices of sparse vectors."""


@dataclass(frozen=True, slots=True, eq=False)
class TermCounts:
    """How many ``vectors`` of a name there are, and how many of them have each of some terms, int64 [terms]."""

    vectors: int
    having: NDArray[np.int64]


def weighs(params: AnyVectorParams) -> bool:
    """Whether a name's queries are weighed."""
    return isinstance(params, SparseVectorParams) and params.modifier is Modifier.IDF


def terms_of(vectors: Sequence[bytes]) -> Terms:
    """The indices that sparse vectors have."""
    if len(vectors) == 1:
        return np.ascontiguousarray(np.frombuffer(vectors[0], PAIR)["index"])
    return np.unique(np.frombuffer(b"".join(vectors), PAIR)["index"])


def weights(counts: Sequence[TermCounts]) -> NDArray[np.float64]:
    """What each of the terms weighs by counts of all shards, of which there are some, float64 [terms]."""
    total = sum(count.vectors for count in counts)
    having = sum((count.having for count in counts[1:]), start=counts[0].having)
    return np.log1p((total - having + 0.5) / (having + 0.5))


def weighed(vector: bytes, terms: Terms, weight: NDArray[np.float64]) -> bytes:
    """A sparse vector, all of whose indices are ``terms``, with its values times what these weigh."""
    pairs = np.frombuffer(vector, PAIR).copy()
    # Where there are no others, a vector's indices are the terms.
    mine = weight if len(pairs) == len(terms) else weight[terms.searchsorted(pairs["index"])]
    pairs["value"] = (pairs["value"] * mine).astype(np.float32)
    return pairs.tobytes()
