"""Sparse vectors: pairs of an index and a value, in a stored point in ascending order of the indices."""

import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from math import isfinite
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import BadInputError
from schemas.vectors.kind import GivenValue, SparseVector, Where, check_rows, is_multi, other_kind
from schemas.vectors.params import SparseVectorParams
from schemas.vectors.ragged import LENGTH, check_lengths, ends_of, split, take_items
from schemas.vectors.shapes import refused

PAIR = np.dtype([("index", "<u4"), ("value", "<f4")])
_MAX_INDEX = 2**32 - 1
_SHORT = 64
"""Pairs: beyond that arrays are made in less time than tuples."""


class SparseColumn(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="sparse"):
    """Pairs, one value's after another's; ``lengths``, u32 each: how many pairs each value has."""

    lengths: bytes
    data: bytes
    rows: list[int] | None = None
    position: int | None = None

    def values(self) -> list[bytes]:
        """Each value's bytes."""
        return split(self.data, self.lengths, PAIR.itemsize)

    def listed(self) -> list[Any]:
        """The values as objects with indices and values. Raises ValueError where they are not whole."""
        return [
            {"indices": pairs["index"].tolist(), "values": pairs["value"].tolist()}
            for pairs in (np.frombuffer(value, PAIR) for value in self.values())
        ]

    def size(self) -> int:
        """How many bytes all values take."""
        return len(self.data) + len(self.lengths)

    def sizes(self) -> NDArray[np.int64]:
        """How many bytes each value takes."""
        return np.frombuffer(self.lengths, LENGTH).astype(np.int64) * PAIR.itemsize + LENGTH.itemsize

    def take(self, places: NDArray[np.int64], rows: list[int] | None) -> "SparseColumn":
        """The values at ``places``, for the points ``rows``."""
        pairs = take_items(np.frombuffer(self.data, PAIR), ends_of(self.lengths), places)
        lengths = np.frombuffer(self.lengths, LENGTH)[places]
        return msgspec.structs.replace(self, lengths=lengths.tobytes(), data=pairs.tobytes(), rows=rows)


class SparseKind:
    """Sparse vectors under a name's parameters."""

    width = None

    def __init__(self, params: SparseVectorParams) -> None:
        self.position = params.position

    def check(self, column: object, points: int, name: str) -> None:
        """Raise BadInputError for a column of another kind, for indices that don't ascend, for NaN."""
        if not isinstance(column, SparseColumn):
            raise other_kind("sparse")
        if len(column.data) % PAIR.itemsize:
            raise BadInputError(f"Wrong input: vector {name!r} does not hold whole pairs")
        pairs = np.frombuffer(column.data, PAIR)
        check_rows(column, check_lengths(column.lengths, len(pairs), name), points, name)
        if not np.isfinite(pairs["value"]).all():
            raise BadInputError(f"Wrong input: vector {name!r} holds a value that is NaN or infinite")
        indices = pairs["index"]
        descends = np.flatnonzero(indices[1:] <= indices[:-1]) + 1
        if not np.isin(descends, ends_of(column.lengths)).all():
            raise BadInputError(f"Wrong input: the indices of vector {name!r} do not ascend")

    def of_point(self, vector: NDArray[Any]) -> bytes:
        """A vector that a part holds, maybe of another name and kind, as a query. Raises BadInputError."""
        if vector.dtype != PAIR:
            raise other_kind("sparse" if vector.ndim == 1 else "multi")
        return vector.tobytes()

    def pack(self, values: Sequence[GivenValue], where: Where, rows: list[int] | None) -> SparseColumn:
        """The column of objects with ``indices`` and ``values``."""
        pairs = [_usual(value) or _pairs(value, where(at)).tobytes() for at, value in enumerate(values)]
        lengths = np.array([len(found) // PAIR.itemsize for found in pairs], LENGTH)
        return SparseColumn(lengths.tobytes(), b"".join(pairs), rows, self.position)


@lru_cache(maxsize=_SHORT + 1)
def _packer(pairs: int) -> struct.Struct:
    return struct.Struct("<" + pairs * "If")


def _usual(value: GivenValue) -> bytes | None:
    """What ``_pairs`` gives for a short vector that is good, in less time; None for others."""
    if not isinstance(value, SparseVector):
        return None
    indices, values = value.indices, value.values
    count = len(indices)
    if count > _SHORT or len(values) != count or len(set(indices)) != count or not isfinite(sum(values)):
        return None
    pairs = chain.from_iterable(sorted(zip(indices, values, strict=True)))
    try:
        return _packer(count).pack(*pairs)
    except (struct.error, OverflowError):
        return None


def _pairs(value: GivenValue, path: str) -> NDArray[np.void]:
    if not isinstance(value, SparseVector):
        raise other_kind("multi" if is_multi(value) else "sparse", path)
    indices, values = value.indices, value.values
    if len(indices) != len(values):
        raise refused(f"{path}.values", "must be the same length as indices")
    for at, index in enumerate(indices):
        if not 0 <= index <= _MAX_INDEX:
            raise BadInputError(
                f"Format error in JSON body: {path}.indices[{at}]: {index} is not from 0 to {_MAX_INDEX}"
            )
    pairs = np.empty(len(indices), PAIR)
    pairs["index"] = indices
    with np.errstate(over="ignore"):
        pairs["value"] = values
    if not np.isfinite(pairs["value"]).all():
        at = int(np.flatnonzero(~np.isfinite(pairs["value"]))[0])
        raise BadInputError(f"Wrong input: {path}.values[{at}]: {values[at]!r} is out of the range of float32")
    pairs = pairs[np.argsort(pairs["index"], kind="stable")]
    if (pairs["index"][1:] == pairs["index"][:-1]).any():
        raise refused(f"{path}.indices", "must be unique")
    return pairs
