"""Tests of values other than text and geo: exact matches, ranges, counts. Types are told apart strictly."""

import math
from collections.abc import Sequence

from schemas.datetimes import parse_datetime
from schemas.filters.model import DatetimeRange, Range, ValuesCount
from schemas.json_path import JsonValue


def number_of(value: JsonValue) -> float | None:
    """A JSON number as float64, an integer beyond its range as infinity; None for anything else, booleans too."""
    if type(value) is float:
        return value
    if type(value) is not int:
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def equals(value: JsonValue, number: int) -> bool:
    """Whether a JSON number, written as an integer or not, has this value; a boolean never does."""
    return type(value) in (int, float) and value == number


def is_any(value: JsonValue, values: frozenset[str | int]) -> bool:
    """Whether a string is one of ``values``, or a number has the value of one; a boolean never does."""
    return type(value) in (str, int, float) and value in values


def in_range(value: float, bounds: Range | DatetimeRange | ValuesCount) -> bool:
    """Whether ``value`` satisfies every bound that is given."""
    return (
        (bounds.lt is None or value < bounds.lt)
        and (bounds.lte is None or value <= bounds.lte)
        and (bounds.gt is None or value > bounds.gt)
        and (bounds.gte is None or value >= bounds.gte)
    )


def number_in_range(value: JsonValue, bounds: Range) -> bool:
    """Whether a JSON number lies in the range, compared by value: 2^53 + 1 is neither 2^53 nor 2.0^53."""
    return isinstance(value, int | float) and not isinstance(value, bool) and in_range(value, bounds)


def datetime_in_range(value: JsonValue, bounds: DatetimeRange) -> bool:
    """Whether a string is a datetime in the range, compared in microseconds."""
    if not isinstance(value, str):
        return False
    microseconds = parse_datetime(value)
    return microseconds is not None and in_range(microseconds, bounds)


def count_of(value: JsonValue) -> int:
    """How many values one value is: an array's length, 0 for null, else 1."""
    if value is None:
        return 0
    return len(value) if isinstance(value, list) else 1


def count_in_range(values: Sequence[JsonValue], bounds: ValuesCount) -> bool:
    """Whether the count of some value satisfies every bound; a field without values counts 0."""
    return any(in_range(count_of(value), bounds) for value in values or (None,))


def is_empty(values: Sequence[JsonValue]) -> bool:
    """Whether there is no value, or each is null or an empty array."""
    return all(value is None or value == [] for value in values)


def is_null(values: Sequence[JsonValue]) -> bool:
    """Whether some value is null or an array with a null in it."""
    return any(value is None or (isinstance(value, list) and None in value) for value in values)
