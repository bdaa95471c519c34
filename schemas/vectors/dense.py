"""Dense vectors: as many values as the name's size says, of one datatype.

float32 values are kept bit for bit as they came, and normalised for Cosine by who compares them. What float16 and uint8
keep is final: float16 is normalised for Cosine before it is rounded, and what is too large becomes its largest; uint8
is clamped to 0 to 255 and cut to whole numbers, and never normalised.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import BadInputError
from schemas.vectors.kind import FLOAT_BYTES, GivenValue, Where, check_rows, column_tag, count_of, is_multi, other_kind
from schemas.vectors.normalise import normalise
from schemas.vectors.params import Datatype, Distance, VectorParams

DTYPES: dict[Datatype, np.dtype[Any]] = {
    Datatype.FLOAT32: np.dtype("<f4"),
    Datatype.FLOAT16: np.dtype("<f2"),
    Datatype.UINT8: np.dtype("u1"),
}
_MAX_FLOAT32 = 3.4028235677973366e38
"""From here on a number is nearer to infinity than to any float32."""
_MAX_FLOAT16 = 65504.0


def matrix_of(data: bytes, datatype: Datatype, dim: int) -> NDArray[Any]:
    """Vectors one after another, of the datatype [vectors, dim]. Raises ValueError where they are not whole."""
    if dim < 1:
        raise ValueError("vectors have at least one value")
    return np.frombuffer(data, DTYPES[datatype]).reshape(-1, dim)


class DenseColumn(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="dense"):
    """Rows of ``dim`` values of ``datatype``, little endian, one after another (``ColumnOfVectors``)."""

    dim: int
    data: bytes
    rows: list[int] | None = None
    datatype: Datatype = Datatype.FLOAT32
    position: int | None = None

    @property
    def width(self) -> int:
        """How many bytes a value takes."""
        return self.dim * DTYPES[self.datatype].itemsize

    def values(self) -> list[bytes]:
        """Each value's bytes."""
        width, data = self.width, self.data
        return [data[at : at + width] for at in range(0, len(data), width)] if width > 0 else []

    def matrix(self) -> NDArray[Any]:
        """The values, of the datatype [values, dim]."""
        return matrix_of(self.data, self.datatype, self.dim)

    def listed(self) -> list[Any]:
        """The values as lists of numbers. Raises ValueError where they are not whole."""
        return self.matrix().tolist()

    def size(self) -> int:
        """How many bytes all values take."""
        return len(self.data)

    def sizes(self) -> NDArray[np.int64]:
        """How many bytes each value takes."""
        return np.full(len(self.data) // self.width if self.width > 0 else 0, self.width, np.int64)

    def take(self, places: NDArray[np.int64], rows: list[int] | None) -> "DenseColumn":
        """The values at ``places``, for the points ``rows``."""
        block = np.frombuffer(self.data, np.uint8).reshape(-1, self.width)
        return msgspec.structs.replace(self, data=block[places].tobytes(), rows=rows)


@lru_cache(maxsize=256)
def _packer(size: int) -> struct.Struct:
    return struct.Struct(f"<{size}f")


class DenseKind:
    """Dense vectors under a name's parameters."""

    def __init__(self, params: VectorParams) -> None:
        self.dim = params.size
        self.distance = params.distance
        self.higher_is_nearer = params.distance.higher_is_nearer
        self.datatype = params.datatype or Datatype.FLOAT32
        self.dtype = DTYPES[self.datatype]
        self.position = params.position
        self.width = self.dim * self.dtype.itemsize

    def check(self, column: object, points: int, name: str) -> None:
        """Raise BadInputError for a column of another kind, size, datatype or number of values, or one with NaN."""
        if not isinstance(column, DenseColumn):
            raise other_kind("sparse" if column_tag(column) == "sparse" else "multi")
        check_dim(self.dim, column.dim)
        check_datatype(self.datatype, column.datatype, name)
        if len(column.data) % self.width:
            raise BadInputError(
                f"Wrong input: vector {name!r} has {len(column.data)} bytes, no multiple of {self.width}"
            )
        check_rows(column, len(column.data) // self.width, points, name)
        check_finite(column.data, self.dtype, name)

    def plain(self, data: bytes) -> DenseColumn:
        """A column of values for all points that are known to be good: ``data`` as ``stored`` gives it."""
        return DenseColumn(self.dim, data, None, self.datatype, self.position)

    def pack(self, values: Sequence[GivenValue], where: Where, rows: list[int] | None) -> DenseColumn:
        """The column of lists of numbers, or of numbers in float32."""
        data = pack_numbers(self.dim, values, where)
        if self.datatype is not Datatype.FLOAT32:
            data = self.stored(np.frombuffer(data, "<f4").reshape(-1, self.dim))
        return DenseColumn(self.dim, data, rows, self.datatype, self.position)

    def of_point(self, vector: NDArray[Any]) -> bytes:
        """A vector that a part holds, maybe of another name and kind, as a query. Raises BadInputError."""
        if vector.dtype.names is not None or vector.ndim > 1:
            raise other_kind("sparse" if vector.dtype.names is not None else "multi")
        check_dim(self.dim, len(vector))
        return self.stored(vector.reshape(1, -1).astype(np.float32))

    def stored(self, matrix: NDArray[np.float32]) -> bytes:
        """What is stored of values as they came, float32 [values, dim]."""
        return stored_numbers(matrix, self.datatype, self.distance)


def stored_numbers(matrix: NDArray[np.float32], datatype: Datatype, distance: Distance) -> bytes:
    """Values as they came, float32 [rows, dim], as the datatype keeps them."""
    match datatype:
        case Datatype.FLOAT32:
            return matrix.astype("<f4", copy=False).tobytes()
        case Datatype.FLOAT16:
            if distance is Distance.COSINE:
                matrix = normalise(matrix)
            return np.clip(matrix, -_MAX_FLOAT16, _MAX_FLOAT16).astype("<f2").tobytes()
        case Datatype.UINT8:
            return np.clip(matrix, 0, 255).astype(np.uint8).tobytes()


def pack_numbers(size: int, values: Sequence[GivenValue], where: Where) -> bytes:
    """Lists of ``size`` numbers as float32. Raises BadInputError naming the first that is no such list."""
    pack = _packer(size).pack
    if bytes in set(map(type, values)):
        joined = join_floats(size, values)
        if joined is not None:
            return joined
    else:
        try:
            return b"".join([pack(*numbers) for numbers in cast("Sequence[list[float]]", values)])
        except (struct.error, OverflowError, TypeError):
            pass
    for position, vector in enumerate(values):
        _check_vector(vector, size, where(position))
    return b"".join([vector if isinstance(vector, bytes) else pack(*cast("list[float]", vector)) for vector in values])


def join_floats(size: int, values: Sequence[object]) -> bytes | None:
    """The values one after another if each is ``size`` finite numbers in float32; else None."""
    width = size * FLOAT_BYTES
    good = [value for value in values if isinstance(value, bytes) and len(value) == width]
    if len(good) < len(values):
        return None
    joined = b"".join(good)
    return joined if all_finite(np.frombuffer(joined, "<f4")) else None


def _check_vector(vector: GivenValue, size: int, path: str) -> None:
    if not isinstance(vector, list | bytes):
        raise other_kind("sparse", path)
    if is_multi(vector):
        raise other_kind("multi", path)
    found = count_of(cast("list[float] | bytes", vector))
    if found != size:
        raise BadInputError(f"Wrong input: Vector dimension error: expected dim: {size}, got {found} at {path}")
    numbers = np.frombuffer(vector, "<f4").tolist() if isinstance(vector, bytes) else vector
    for index, value in enumerate(cast("list[float | list[float]]", numbers)):
        if isinstance(value, list):
            raise BadInputError(f"Wrong input: {path}[{index}]: expected a number")
        if not abs(value) < _MAX_FLOAT32:
            raise BadInputError(f"Wrong input: {path}[{index}]: {value!r} is out of the range of float32")


def check_dim(expected: int, found: int) -> None:
    """Raise BadInputError for vectors of another size."""
    if found != expected:
        raise BadInputError(f"Wrong input: Vector dimension error: expected dim: {expected}, got {found}")


def check_datatype(expected: Datatype, found: Datatype, name: str) -> None:
    """Raise BadInputError for a column of another datatype."""
    if found != expected:
        raise BadInputError(f"Wrong input: vector {name!r} is of {found} where {expected} is expected")


def all_finite(values: NDArray[np.floating[Any]]) -> bool:
    """Whether none of ``values`` is NaN or infinite."""
    # For few values, as most writes have, a reduction takes several times as long as looking for a byte.
    return b"\0" not in np.isfinite(values).tobytes()


def check_finite(data: bytes, dtype: np.dtype[Any], name: str) -> None:
    """Raise BadInputError for a value that is NaN or infinite."""
    if dtype.kind == "f" and not all_finite(np.frombuffer(data, dtype)):
        raise BadInputError(f"Wrong input: vector {name!r} holds a value that is NaN or infinite")
