"""What each test of a field condition means for a value."""

from collections.abc import Sequence
from typing import Any

from schemas.filters.model import (
    DatetimeRange,
    ElementTest,
    FieldTest,
    GeoBoundingBox,
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
    ValuesTest,
)
from schemas.json_path import JsonValue
from schemas.matching import geo, values
from schemas.matching.words import words

GeoTest = GeoBoundingBox | GeoRadius | GeoPolygon
TextTest = MatchText | MatchTextAny | MatchPhrase | MatchPrefix


def passes(test: FieldTest, found: Sequence[Any]) -> bool:
    """Whether a field passes, given what ``json_path.values_at`` found there."""
    if isinstance(test, ValuesCount | IsEmpty | IsNull):
        return _values_pass(test, found)
    return any(element_passes(test, element) for value in found for element in _elements(value))


def element_passes(test: ElementTest, value: JsonValue) -> bool:
    """Whether one element passes. A value of another type than the test is about never does."""
    match test:
        case MatchKeyword():
            return isinstance(value, str) and value == test.value
        case MatchInteger():
            return values.equals(value, test.value)
        case MatchBool():
            return value is test.value
        case MatchAny():
            return values.is_any(value, test.values)
        case MatchExcept():
            return value is not None and not values.is_any(value, test.values)
        case Range():
            return values.number_in_range(value, test)
        case DatetimeRange():
            return values.datetime_in_range(value, test)
        case GeoBoundingBox() | GeoRadius() | GeoPolygon():
            return _geo_passes(test, value)
        case MatchText() | MatchTextAny() | MatchPhrase() | MatchPrefix():
            return isinstance(value, str) and _text_passes(test, value)


def _elements(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else (value,)


def _values_pass(test: ValuesTest, found: Sequence[JsonValue]) -> bool:
    match test:
        case ValuesCount():
            return values.count_in_range(found, test)
        case IsEmpty():
            return values.is_empty(found) is test.expected
        case IsNull():
            return values.is_null(found) is test.expected


def _text_passes(test: TextTest, value: str) -> bool:
    match test:
        case MatchText():
            return test.text in value
        case MatchTextAny():
            return any(word in value for word in words(test.text))
        case MatchPhrase():
            return test.phrase in value
        case MatchPrefix():
            return value.startswith(test.prefix)


def _geo_passes(test: GeoTest, value: JsonValue) -> bool:
    point = geo.point_of(value)
    if point is None:
        return False
    match test:
        case GeoBoundingBox():
            return geo.in_box(point, test)
        case GeoRadius():
            return geo.in_radius(point, test)
        case GeoPolygon():
            return geo.in_polygon(point, test)
