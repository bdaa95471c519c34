"""Vectors as they are answered: what a part holds of them as JSON. The array's shape and type tell the kind.

Dense: [dim]; multi: [vectors, dim]; sparse: pairs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.vectors.sparse import PAIR


def numbers_of(vector: NDArray[Any]) -> NDArray[np.float32]:
    """The numbers of a vector that are told as decimals, float32, one after another."""
    values = vector["value"] if vector.dtype == PAIR else vector.reshape(-1)
    return values.astype(np.float32, copy=False)


def as_json(vector: NDArray[Any], numbers: list[float]) -> Any:
    """A vector of which ``numbers`` are those of ``numbers_of``."""
    if vector.dtype == PAIR:
        return {"indices": vector["index"].tolist(), "values": numbers}
    if vector.ndim == 1:
        return numbers
    dim = vector.shape[1]
    return [numbers[at : at + dim] for at in range(0, len(numbers), dim)]
