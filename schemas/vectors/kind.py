"""What every kind of vectors does, and what its columns and values have in common."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import BadInputError

Positions = NDArray[np.int64]
"""int64 [k], ascending: some of an operation's points."""
Where = Callable[[int], str]
"""Where in a body the value of a point stood."""


class SparseVector(msgspec.Struct, gc=False):
    """A sparse vector as JSON has it."""

    indices: list[int]
    values: list[float]


JsonValue = list[float | list[float]] | SparseVector
"""One vector as JSON has it: a list of numbers, or of lists of numbers, or a sparse one."""
GivenValue = JsonValue | bytes | list[bytes]
"""One vector as requests have it: messages bring numbers as float32, little endian, where JSON has lists of them."""
FLOAT_BYTES = 4


class ColumnOfVectors(Protocol):
    """One named vector of many points, as operations carry it.

    ``rows`` says which of the operation's points its values belong to, ascending; None: all of them, in order.
    ``position`` is the one in stored points that the name had for who wrote the column; None: it isn't said.
    """

    @property
    def rows(self) -> list[int] | None:
        """Whose values they are."""
        ...

    @property
    def position(self) -> int | None:
        """The position that is meant."""
        ...

    def values(self) -> list[bytes]:
        """Each value's bytes, as a stored point holds them. The column must have passed its check."""
        ...

    def sizes(self) -> NDArray[np.int64]:
        """How many bytes each value takes in a column, int64 [values]."""
        ...

    def size(self) -> int:
        """How many bytes all values take."""
        ...

    def listed(self) -> list[Any]:
        """The values as JSON has them. Raises ValueError for what no value is made of."""
        ...

    def take(self, places: NDArray[np.int64], rows: list[int] | None) -> "ColumnOfVectors":
        """The values at ``places``, for the points ``rows``."""
        ...


class Kind(Protocol):
    """One kind of vectors under one name's parameters."""

    @property
    def width(self) -> int | None:
        """How many bytes a value takes in a stored point; None where that differs."""
        ...

    def check(self, column: Any, points: int, name: str) -> None:
        """Raise BadInputError when ``column`` is none of this kind, or doesn't fit so many points."""
        ...

    def of_point(self, vector: NDArray[Any]) -> bytes:
        """A vector that a part holds, maybe of another name and kind, as a query. Raises BadInputError."""
        ...

    def pack(self, values: Sequence[GivenValue], where: Where, rows: list[int] | None) -> Any:
        """The column of values as requests give them.

        Raises BadInputError, UnprocessableError naming the first that is no good.
        """
        ...


def check_rows(column: ColumnOfVectors, count: int, points: int, name: str) -> None:
    """Check that ``count`` values fit the column's rows, and those ``points`` points. Raises BadInputError."""
    rows = column.rows
    expected = points if rows is None else len(rows)
    if count != expected:
        raise BadInputError(f"Wrong input: vector {name!r} has {count} values for {expected} points")
    if rows is not None:
        ascending = all(a < b for a, b in pairwise(rows))
        if not ascending or (rows and not (rows[0] >= 0 and rows[-1] < points)):
            raise BadInputError(f"Wrong input: the rows of vector {name!r} are not ascending positions of points")


def column_tag(column: object) -> object:
    """The kind that a column's tag names."""
    return column.__struct_config__.tag if isinstance(column, msgspec.Struct) else None


def is_multi(value: GivenValue) -> bool:
    """Whether a value is a list of lists."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], list | bytes)


def count_of(row: list[float] | bytes) -> int:
    """How many numbers a list of them, or what a message has for one, holds."""
    return len(row) // FLOAT_BYTES if isinstance(row, bytes) else len(row)


def other_kind(which: str, path: str | None = None) -> BadInputError:
    """The error for a value, or a column, of another kind than its name's: ``sparse`` or ``multi`` is one of them.

    ``path`` is where the value stood.
    """
    where = f" at {path}" if path else ""
    return BadInputError(f"Wrong input: Conversion between {which} and regular vectors failed{where}")
