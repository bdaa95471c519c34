import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from query_api.decimals import shortest_decimals

finite = arrays.arrays(
    np.float32, st.integers(0, 30), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)
)
usual = arrays.arrays(
    np.float32,
    st.integers(0, 30),
    elements=st.floats(2.0**-40, 2.0**29, width=32) | st.floats(-(2.0**29), -(2.0**-40), width=32),
)


@given(finite)
def test_every_value_reads_back(values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    decimals = shortest_decimals(values)
    assert decimals.dtype == np.float64
    assert decimals.astype(np.float32).tobytes() == values.tobytes()


@given(usual)
def test_usual_values_are_as_short_as_can_be(values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    assert shortest_decimals(values).tolist() == [float(str(value)) for value in values]
