"""Filters put together."""

from schemas.filters import Filter, HasId
from schemas.ids import PointId


def both(first: Filter | None, second: Filter | None) -> Filter | None:
    """What passes both; None is everything."""
    if first is None or second is None:
        return second if first is None else first
    return Filter(must=(first, second))


def without(condition: Filter | None, ids: frozenset[PointId]) -> Filter | None:
    """What passes the condition, and is none of some points."""
    return both(condition, Filter(must_not=(HasId(ids),))) if ids else condition


def only(ids: frozenset[PointId]) -> Filter:
    """What passes is one of some points."""
    return Filter(must=(HasId(ids),))
