"""The modifier ``idf``: a sparse query's values are weighed by how rare their indices are.

As in Qdrant (and BM25), an index that n of N vectors have weighs ln(1 + (N - n + 0.5) / (n + 0.5)).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.vectors.params import AnyVectorParams, Modifier, SparseVectorParams
from schemas.vectors.sparse import PAIR


@dataclass(frozen=True, slots=True, eq=False)
class TermCounts:
    """How many ``vectors`` of a name there are, and how many of them have each of some indices, int64 [indices]."""

    vectors: int
    having: NDArray[np.int64]


def weighs(params: AnyVectorParams) -> bool:
    """Whether a name's queries are weighed."""
    return isinstance(params, SparseVectorParams) and params.modifier is Modifier.IDF


def terms_of(vector: bytes) -> NDArray[np.uint32]:
    """The indices of a sparse vector."""
    return np.frombuffer(vector, PAIR)["index"]


def weighed(vector: bytes, counts: Sequence[TermCounts]) -> bytes:
    """A sparse query vector weighed by counts of all shards."""
    pairs = np.frombuffer(vector, PAIR).copy()
    total = sum(count.vectors for count in counts)
    having = np.sum([count.having for count in counts], axis=0, dtype=np.int64)
    weights = np.log1p((total - having + 0.5) / (having + 0.5))
    pairs["value"] = (pairs["value"] * weights).astype(np.float32)
    return pairs.tobytes()
