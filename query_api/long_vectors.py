"""The JSON of a long vector, a slice at a time: all of it at once would keep other threads waiting.

A vector may have as many numbers as a request can bring, as one of many vectors or a sparse one: millions.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from query_api.decimals import shortest_decimals
from schemas.vectors.sparse import PAIR

SLICE = 1 << 15
"""So many numbers are made text at once, in some milliseconds."""
_encode = msgspec.json.Encoder().encode


def long_json(vector: NDArray[Any]) -> bytes:
    """The JSON of a vector as a part holds it (``schemas.vectors.answered``)."""
    if vector.dtype == PAIR:
        return b'{"indices":%b,"values":%b}' % (_array(vector["index"], _integers), _array(vector["value"], _decimals))
    return _array(vector, _decimals)


def _array(values: NDArray[Any], listed: Callable[[NDArray[Any]], list[Any]]) -> bytes:
    """``values``: [numbers] or [rows, numbers]; rows are not divided."""
    step = max(1, SLICE // (values.shape[1] if values.ndim > 1 else 1))
    slices = [_encode(listed(values[at : at + step]))[1:-1] for at in range(0, len(values), step)]
    return b"[%b]" % b",".join(slices)


def _integers(values: NDArray[np.uint32]) -> list[Any]:
    return values.tolist()


def _decimals(values: NDArray[Any]) -> list[Any]:
    return shortest_decimals(values.astype(np.float32, copy=False)).tolist()
