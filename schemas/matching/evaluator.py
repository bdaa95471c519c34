"""The reference evaluator: whether a point matches a filter. Pure and deterministic; columns must agree with it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.filters.model import Condition, FieldCondition, Filter, HasId, HasVector, MinShould, Nested, Slice
from schemas.ids import PointId
from schemas.json_path import JsonValue, values_at
from schemas.matching.field_tests import passes
from schemas.siphash import slice_of
from schemas.text import TEXT_VERSION

EVALUATOR_VERSION = f"4/{TEXT_VERSION}"
"""Changes when the same filter may mean something else, or is refused where it was read. Part of the fold's version."""


class Candidate(Protocol):
    """A point as filters see it. ``payload`` holds JSON values as msgspec decodes them."""

    @property
    def id(self) -> PointId:
        """The point's id."""
        ...

    @property
    def payload(self) -> Mapping[str, Any]:
        """The payload, empty when there is none."""
        ...

    @property
    def vector_names(self) -> Container[str]:
        """The names of the vectors that the point has."""
        ...


@dataclass(frozen=True, slots=True)
class _Element:
    """An object in an array, to which a nested filter is applied; it has neither an id nor vectors."""

    payload: Mapping[str, Any]


def matches(filter: Filter, point: Candidate) -> bool:
    """Whether ``point`` matches. Never raises: a value that a test can't read doesn't pass it."""
    return _matches(filter, point)


def _matches(filter: Filter, point: Candidate | _Element) -> bool:
    return (
        all(_holds(condition, point) for condition in filter.must)
        and not any(_holds(condition, point) for condition in filter.must_not)
        and (not filter.should or any(_holds(condition, point) for condition in filter.should))
        and (filter.min_should is None or _enough(filter.min_should, point))
    )


def _enough(min_should: MinShould, point: Candidate | _Element) -> bool:
    return sum(_holds(condition, point) for condition in min_should.conditions) >= min_should.min_count


def _holds(condition: Condition, point: Candidate | _Element) -> bool:
    match condition:
        case FieldCondition():
            found = values_at(point.payload, condition.key)
            return any(passes(test, found) for test in condition.tests)
        case Nested():
            elements: list[JsonValue] = values_at(point.payload, condition.key)
            return any(_matches(condition.filter, _Element(e)) for e in elements if isinstance(e, dict))
        case Filter():
            return _matches(condition, point)
        case _:
            return not isinstance(point, _Element) and _holds_for_id(condition, point)


def _holds_for_id(condition: HasId | HasVector | Slice, point: Candidate) -> bool:
    """Conditions on the point itself. Inside a nested filter they never hold, as in Qdrant."""
    match condition:
        case HasId():
            return point.id in condition.ids
        case HasVector():
            return condition.name in point.vector_names
        case Slice():
            return slice_of(point.id, condition.total) == condition.index
