"""Multivectors: one or more dense vectors each, in a stored point one after another."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import BadInputError
from schemas.vectors.dense import (
    DTYPES,
    check_datatype,
    check_dim,
    check_finite,
    matrix_of,
    pack_numbers,
    stored_numbers,
)
from schemas.vectors.kind import GivenValue, Where, check_rows, column_tag, is_multi, other_kind
from schemas.vectors.params import Datatype, VectorParams
from schemas.vectors.ragged import LENGTH, check_lengths, ends_of, split, take_items
from schemas.vectors.shapes import check_rows_of_one_size
from schemas.vectors.sparse import PAIR


class MultiColumn(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="multi"):
    """Vectors of ``dim`` values of ``datatype``; ``lengths``, u32 each: how many of them each value has."""

    dim: int
    lengths: bytes
    data: bytes
    rows: list[int] | None = None
    datatype: Datatype = Datatype.FLOAT32
    position: int | None = None

    @property
    def item(self) -> int:
        """How many bytes one of the vectors takes."""
        return self.dim * DTYPES[self.datatype].itemsize

    def values(self) -> list[bytes]:
        """Each value's bytes."""
        return split(self.data, self.lengths, self.item)

    def matrix(self) -> NDArray[Any]:
        """All vectors, of the datatype [vectors, dim]."""
        return matrix_of(self.data, self.datatype, self.dim)

    def listed(self) -> list[Any]:
        """The values as lists of lists of numbers. Raises ValueError where they are not whole."""
        vectors, ends = self.matrix().tolist(), ends_of(self.lengths).tolist()
        return [vectors[a:b] for a, b in pairwise(ends)]

    def size(self) -> int:
        """How many bytes all values take."""
        return len(self.data) + len(self.lengths)

    def sizes(self) -> NDArray[np.int64]:
        """How many bytes each value takes."""
        return np.frombuffer(self.lengths, LENGTH).astype(np.int64) * self.item + LENGTH.itemsize

    def take(self, places: NDArray[np.int64], rows: list[int] | None) -> "MultiColumn":
        """The values at ``places``, for the points ``rows``."""
        block = np.frombuffer(self.data, np.uint8).reshape(-1, self.item)
        taken = take_items(block, ends_of(self.lengths), places)
        lengths = np.frombuffer(self.lengths, LENGTH)[places]
        return msgspec.structs.replace(self, lengths=lengths.tobytes(), data=taken.tobytes(), rows=rows)


class MultiKind:
    """Multivectors under a name's parameters."""

    width = None

    def __init__(self, params: VectorParams) -> None:
        self.dim = params.size
        self.distance = params.distance
        self.datatype = params.datatype or Datatype.FLOAT32
        self.dtype = DTYPES[self.datatype]
        self.position = params.position

    def check(self, column: object, points: int, name: str) -> None:
        """Raise BadInputError for a column of another kind, size or datatype, with an empty value, or with NaN."""
        if not isinstance(column, MultiColumn):
            raise other_kind("sparse" if column_tag(column) == "sparse" else "multi")
        check_dim(self.dim, column.dim)
        check_datatype(self.datatype, column.datatype, name)
        if len(column.data) % column.item:
            raise BadInputError(f"Wrong input: vector {name!r} does not hold whole vectors")
        count = check_lengths(column.lengths, len(column.data) // column.item, name)
        check_rows(column, count, points, name)
        if not np.frombuffer(column.lengths, LENGTH).all():
            raise BadInputError(f"Wrong input: vector {name!r} holds a multivector without vectors")
        check_finite(column.data, self.dtype, name)

    def pack(self, values: Sequence[GivenValue], where: Where, rows: list[int] | None) -> MultiColumn:
        """The column of lists of vectors. A plain vector is a multivector of one."""
        several = [_vectors(value, where(at)) for at, value in enumerate(values)]
        if [] in values or b"" in values:
            check_dim(self.dim, 0)
        owners = [at for at, vectors in enumerate(several) for _ in vectors]
        flat = [vector for vectors in several for vector in vectors]
        data = pack_numbers(self.dim, flat, lambda at: where(owners[at]))
        matrix = np.frombuffer(data, "<f4").reshape(-1, self.dim)
        return MultiColumn(
            self.dim,
            np.array([len(vectors) for vectors in several], LENGTH).tobytes(),
            self.stored(matrix),
            rows,
            self.datatype,
            self.position,
        )

    def of_point(self, vector: NDArray[Any]) -> bytes:
        """A vector that a part holds, maybe of another name and kind, as a query. Raises BadInputError."""
        if vector.dtype == PAIR:
            raise other_kind("sparse")
        check_dim(self.dim, vector.shape[-1])
        return self.stored(vector.reshape(-1, self.dim).astype(np.float32))

    def stored(self, matrix: NDArray[np.float32]) -> bytes:
        """What is stored of vectors as they came, float32 [vectors, dim]."""
        return stored_numbers(matrix, self.datatype, self.distance)


def _vectors(value: GivenValue, path: str) -> list[GivenValue]:
    if not isinstance(value, list | bytes):
        raise other_kind("sparse", path)
    if not is_multi(value):
        return [value]
    check_rows_of_one_size(value, path)
    if not set(map(type, value)) <= {list, bytes}:
        raise BadInputError(f"Format error in JSON body: {path}: expected a list of vectors")
    return cast("list[GivenValue]", value)
