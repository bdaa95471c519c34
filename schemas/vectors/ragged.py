"""Columns whose values have any number of items: how many is told apart from itertools import pairwise
from the items.
"""

from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.errors import BadInputError

LENGTH = np.dtype("<u4")
ItemsT = TypeVar("ItemsT", bound=np.generic)


def ends_of(lengths: bytes) -> NDArray[np.int64]:
    """Where each value's items begin and, in the end, the last one's end: int64 [values + 1]."""
    counts = np.frombuffer(lengths, LENGTH)
    ends = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=ends[1:])
    return ends


def check_lengths(lengths: bytes, items: int, name: str) -> int:
    """How many values there are. Raises BadInputError when their lengths are not those of ``items`` items."""
    if len(lengths) % LENGTH.itemsize or int(ends_of(lengths)[-1]) != items:
        raise BadInputError(f"Wrong input: the lengths of vector {name!r} are not those of its {items} items")
    return len(lengths) // LENGTH.itemsize


def split(data: bytes, lengths: bytes, width: int) -> list[bytes]:
    """Each value's bytes; an item has ``width``."""
    ends: list[int] = (ends_of(lengths) * width).tolist()
    return [data[a:b] for a, b in pairwise(ends)]


def take_items(items: NDArray[ItemsT], ends: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[ItemsT]:
    """The items, along the first axis, of the values at ``places``, one value's after another's."""
    starts = ends[places]
    lengths = ends[places + 1] - starts
    total = int(lengths.sum())
    first = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths) if total else starts[:0]
    return items[first + np.arange(total)]
