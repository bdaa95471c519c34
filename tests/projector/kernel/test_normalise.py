"""Queries and rows of length one, against what rows are normalised by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from projector.kernel import normalised
from schemas.vectors.normalise import normalise

vectors = arrays.arrays(np.float32, st.integers(1, 40), elements=st.floats(-(2.0**60), 2.0**60, width=32))


@given(vector=vectors, scale=st.sampled_from([1.0, 1e-30, 1e18]))
def test_a_query_is_normalised_as_rows_are(vector: NDArray[np.float32], scale: float) -> None:
    vector = vector * np.float32(scale)
    found, expected = normalised(vector), normalise(vector[np.newaxis])[0]
    np.testing.assert_allclose(found, expected, rtol=2e-7, atol=0)
    assert normalised(found).tobytes() == found.tobytes()


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(arrays.arrays(np.float32, st.tuples(st.integers(0, 4), st.integers(1, 40) | st.just(300)), elements=finite))
def test_rows_become_the_same_alone_and_among_others(matrix: NDArray[np.float32]) -> None:
    found = normalised(matrix)
    assert found.shape == matrix.shape
    assert not np.shares_memory(found, matrix)
    np.testing.assert_allclose(found, normalise(matrix), rtol=2e-7, atol=0)
    assert [normalised(row).tobytes() for row in matrix] == [row.tobytes() for row in found]
    assert normalised(found).tobytes() == found.tobytes()


def test_a_zero_vector_stays_zero() -> None:
    assert normalised(np.zeros(3, np.float32)).tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="dimension"):
        normalised(np.zeros((2, 2, 2), np.float32))
