"""Sparse vectors from JSON to bytes: short ones and long ones alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas.vectors.sparse as sparse
from schemas.errors import HeadwaterError
from schemas.vectors.kind import SparseVector
from schemas.vectors.params import SparseVectorParams
from schemas.vectors.sparse import PAIR, SparseKind

KIND = SparseKind(SparseVectorParams())
indices = st.integers(0, 2**32 - 1) | st.sampled_from([-1, 0, 1, 2, 2**32, 2**70])
values = st.floats(width=32) | st.sampled_from([1e39, -1e39, 3.4028235677973366e38, 3.4028235e38, 1e-60, float("nan")])


def packed(vector: SparseVector) -> bytes | str:
    """The column's bytes, or why there is none."""
    try:
        column = KIND.pack([vector], lambda _: "here", None)
    except HeadwaterError as error:
        return error.message
    return column.lengths + column.data


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(indices, values), max_size=6), more=st.lists(values, max_size=1))
def test_short_ones_are_as_long_ones(pairs: list[tuple[int, float]], more: list[float]) -> None:
    vector = SparseVector([index for index, _ in pairs], [value for _, value in pairs] + more)
    found = packed(vector)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse, "_SHORT", -1)
        assert packed(vector) == found


def test_pairs_are_in_the_order_of_their_indices() -> None:
    random = np.random.default_rng(1)
    for count in (1, sparse._SHORT, sparse._SHORT + 1):  # pyright: ignore[reportPrivateUsage]
        given_indices = random.permutation(1000)[:count].tolist()
        vector = SparseVector(given_indices, [index / 8 for index in given_indices])
        pairs = np.frombuffer(KIND.pack([vector], lambda _: "here", None).data, PAIR)
        assert pairs["index"].tolist() == sorted(given_indices)
        assert (pairs["value"] * 8).tolist() == sorted(given_indices)
