"""Vectors that a query gives as JSON."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.vectors.kind import GivenValue
from schemas.vectors.params import AnyVectorParams, VectorParams
from schemas.vectors.registry import kind_of
from schemas.vectors.sparse import PAIR


def given(params: AnyVectorParams, value: GivenValue, path: str) -> NDArray[Any]:
    """A vector as a part could hold it (``schemas.vectors.answered``), of float32 whatever is stored under the name.

    Raises BadInputError, UnprocessableError for one of another kind or size.
    """
    plain = params
    if isinstance(params, VectorParams) and params.datatype is not None:
        plain = msgspec.structs.replace(params, datatype=None)
    data: bytes = kind_of(plain).pack([value], lambda _: path, None).values()[0]
    if not isinstance(params, VectorParams):
        return np.frombuffer(data, PAIR)
    numbers = np.frombuffer(data, np.float32)
    return numbers if params.multivector_config is None else numbers.reshape(-1, params.size)
