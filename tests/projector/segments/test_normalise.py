import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from schemas.vectors.normalise import normalise

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(hnp.arrays(np.float32, st.tuples(st.integers(0, 4), st.integers(1, 5)), elements=finite))
def test_rows_have_length_one_or_are_zero_and_stay(matrix: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    once = normalise(matrix)
    assert once.dtype == np.float32
    assert once.shape == matrix.shape
    lengths = np.sqrt((once.astype(np.float64) ** 2).sum(axis=1))
    zero = ~matrix.any(axis=1)
    assert (lengths[zero] == 0).all()
    np.testing.assert_allclose(lengths[~zero], 1, rtol=1e-6)
    assert normalise(once).tobytes() == once.tobytes()


def test_vectors_of_length_one_keep_their_bits() -> None:
    matrix = np.array([[0.6, 0.8], [1.0, 0.0]], np.float32)
    assert normalise(matrix).tobytes() == matrix.tobytes()


@given(hnp.arrays(np.float32, st.tuples(st.integers(2, 4), st.integers(1, 40) | st.just(300)), elements=finite))
def test_a_row_becomes_the_same_alone_and_among_others(
    matrix: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    alone = [normalise(matrix[row : row + 1]) for row in range(len(matrix))]
    assert {(part.shape, part.dtype) for part in alone} == {((1, matrix.shape[1]), np.dtype(np.float32))}
    assert np.concatenate(alone).tobytes() == normalise(matrix).tobytes()
