"""What is wrong with a vector as JSON has it, whatever kind is expected."""

from typing import cast

from schemas.errors import UnprocessableError
from schemas.vectors.kind import GivenValue, SparseVector, count_of, is_multi


def check_shape(value: GivenValue, path: str) -> None:
    """Raise UnprocessableError for a sparse vector with an index twice or without its value, or rows of many sizes."""
    if isinstance(value, SparseVector):
        if len(value.indices) != len(value.values):
            raise refused(f"{path}.values", "must be the same length as indices")
        if len(set(value.indices)) != len(value.indices):
            raise refused(f"{path}.indices", "must be unique")
    elif is_multi(value):
        check_rows_of_one_size(value, path)


def check_rows_of_one_size(value: GivenValue, path: str) -> None:
    """Raise UnprocessableError for a multivector with an empty row, or rows of many sizes."""
    rows = cast("list[object]", value)
    if set(map(type, rows)) == {list}:
        lengths = set(map(len, cast("list[list[float]]", rows)))
        if len(lengths) == 1 and 0 not in lengths:
            return
    sizes = [count_of(cast("list[float] | bytes", row)) for row in rows if isinstance(row, list | bytes)]
    for size in sizes:
        if not size:
            raise UnprocessableError(f"Validation error in JSON body: [{path}: all vectors must be non-empty]")
        if size != sizes[0]:
            raise UnprocessableError(
                f"Validation error in JSON body: [{path}: all vectors must have the same dimension, "
                f"found vector with dimension {size}]"
            )


def refused(path: str, what: str) -> UnprocessableError:
    """The error for a value that breaks a rule."""
    return UnprocessableError(f"Validation error in JSON body: [{path}: Validation error: {what}]")
