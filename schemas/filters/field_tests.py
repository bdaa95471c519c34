"""Parse what a field condition tests: match, ranges, geo, counts."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from schemas.datetimes import parse_datetime
from schemas.filters import checks
from schemas.filters.model import (
    DatetimeRange,
    FieldTest,
    GeoBoundingBox,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    IsEmpty,
    IsNull,
    MatchAny,
    MatchBool,
    MatchExcept,
    MatchInteger,
    MatchKeyword,
    MatchPhrase,
    MatchPrefix,
    MatchText,
    MatchTextAny,
    Range,
    ValuesCount,
)

BoundT = TypeVar("BoundT", int, int | float)
Take = Callable[[int, str], None]
"""Counts values towards the filter's limit: how many, and where."""

_MATCHES = frozenset({"value", "text", "text_any", "phrase", "prefix", "any", "except"})
_BOUNDS = frozenset({"lt", "lte", "gt", "gte"})
_MIN_RING = 4
_COORDINATES = ("lon", "lat")


def parse_test(name: str, value: object, where: str, take: Take) -> FieldTest:
    """One test of a field condition; ``name`` is one of ``TESTS``. Raises BadInputError."""
    return TESTS[name](value, where, take)


def _match(value: object, where: str, take: Take) -> FieldTest:
    fields = checks.present(value, where, _MATCHES)
    if len(fields) != 1:
        checks.fail(where, f"expected exactly one of: {', '.join(sorted(_MATCHES))}")
    (kind, operand), *_ = fields.items()
    where = f"{where}.{kind}"
    match kind:
        case "value":
            return _match_value(operand, where)
        case "any":
            return MatchAny(_variants(operand, where, take))
        case "except":
            return MatchExcept(_variants(operand, where, take))
        case "text":
            return MatchText(checks.string(operand, where))
        case "text_any":
            return MatchTextAny(checks.string(operand, where))
        case "phrase":
            return MatchPhrase(checks.string(operand, where))
        case _:
            return MatchPrefix(checks.string(operand, where))


def _match_value(value: object, where: str) -> FieldTest:
    if isinstance(value, bool):
        return MatchBool(value)
    if isinstance(value, int):
        return MatchInteger(checks.integer(value, where))
    if isinstance(value, str):
        return MatchKeyword(value)
    checks.fail(where, f"expected a string, an integer or a boolean, not {checks.describe(value)}")


def _variants(value: object, where: str, take: Take) -> frozenset[str | int]:
    items = checks.array(value, where)
    take(len(items), where)
    if items and isinstance(items[0], str):
        return frozenset(checks.string(item, f"{where}[{i}]") for i, item in enumerate(items))
    return frozenset(checks.integer(item, f"{where}[{i}]") for i, item in enumerate(items))


def _range(value: object, where: str, take: Take) -> FieldTest:
    fields = checks.present(value, where, _BOUNDS)
    if any(isinstance(bound, str) for bound in fields.values()):
        return DatetimeRange(**_bounds(fields, where, _datetime))
    return Range(**_bounds(fields, where, checks.exact_number))


def _bounds(fields: dict[str, Any], where: str, parse: Callable[[object, str], BoundT]) -> dict[str, BoundT]:
    return {name: parse(bound, f"{where}.{name}") for name, bound in fields.items()}


def _datetime(value: object, where: str) -> int:
    microseconds = parse_datetime(checks.string(value, where))
    if microseconds is None:
        shown = checks.describe(value)
        checks.malformed(
            where, f"{shown} does not match accepted datetime format (RFC3339). Example: 2014-01-01T00:00:00Z"
        )
    return microseconds


def _values_count(value: object, where: str, take: Take) -> FieldTest:
    fields = checks.present(value, where, _BOUNDS)
    return ValuesCount(**_bounds(fields, where, lambda bound, at: checks.integer(bound, at, low=0)))


def _geo_point(value: object, where: str) -> GeoPoint:
    if isinstance(value, list):
        both = cast(list[Any], value)
        if len(both) != len(_COORDINATES):
            checks.fail(where, "expected a longitude and a latitude")
        value = dict(zip(_COORDINATES, both, strict=True))
    fields = checks.present(value, where, frozenset(_COORDINATES))
    lon, lat = (checks.number(checks.required(fields, name, where), f"{where}.{name}") for name in _COORDINATES)
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        checks.malformed(
            where,
            f"Wrong format of GeoPoint payload: expected `lat` = {lat:g} within [-90;90] and `lon` = {lon:g} within "
            "[-180;180]",
        )
    return GeoPoint(lon, lat)


def _geo_bounding_box(value: object, where: str, take: Take) -> FieldTest:
    fields = checks.present(value, where, frozenset({"top_left", "bottom_right"}))
    top_left = _geo_point(checks.required(fields, "top_left", where), f"{where}.top_left")
    bottom_right = _geo_point(checks.required(fields, "bottom_right", where), f"{where}.bottom_right")
    return GeoBoundingBox(top_left, bottom_right)


def _geo_radius(value: object, where: str, take: Take) -> FieldTest:
    fields = checks.present(value, where, frozenset({"center", "radius"}))
    center = _geo_point(checks.required(fields, "center", where), f"{where}.center")
    return GeoRadius(center, checks.number(checks.required(fields, "radius", where), f"{where}.radius"))


def _ring(value: object, where: str, take: Take) -> tuple[GeoPoint, ...]:
    fields = checks.present(value, where, frozenset({"points"}))
    items = checks.array(checks.required(fields, "points", where), f"{where}.points")
    take(len(items), f"{where}.points")
    points = tuple(_geo_point(item, f"{where}.points[{i}]") for i, item in enumerate(items))
    if len(points) < _MIN_RING:
        reason = f"the size must be at least {_MIN_RING}, got {len(points)}"
        checks.malformed(where, f"Validation failed: polygon invalid, {reason}")
    if points[0] != points[-1]:
        reason = "the first and the last points should be the same to form a closed line"
        checks.malformed(where, f"Validation failed: polygon invalid, {reason}")
    return points


def _geo_polygon(value: object, where: str, take: Take) -> FieldTest:
    fields = checks.present(value, where, frozenset({"exterior", "interiors"}))
    exterior = _ring(checks.required(fields, "exterior", where), f"{where}.exterior", take)
    holes = checks.array(fields.get("interiors", []), f"{where}.interiors")
    interiors = tuple(_ring(hole, f"{where}.interiors[{i}]", take) for i, hole in enumerate(holes))
    return GeoPolygon(exterior, interiors)


def _is_empty(value: object, where: str, take: Take) -> FieldTest:
    return IsEmpty(checks.boolean(value, where))


def _is_null(value: object, where: str, take: Take) -> FieldTest:
    return IsNull(checks.boolean(value, where))


TESTS: dict[str, Callable[[object, str, Take], FieldTest]] = {
    "match": _match,
    "range": _range,
    "geo_bounding_box": _geo_bounding_box,
    "geo_radius": _geo_radius,
    "geo_polygon": _geo_polygon,
    "values_count": _values_count,
    "is_empty": _is_empty,
    "is_null": _is_null,
}
