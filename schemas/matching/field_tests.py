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
    HasPhrase,
    HasTokens,
    IsEmpty,
    IsNull,
    IsOfType,
    MatchAny,
    MatchBool,
    MatchExcept,
    MatchInteger,
    MatchKeyword,
    MatchPhrase,
    MatchPrefix,
    MatchText,
    MatchTextAny,
    MatchUuid,
    Range,
    ValuesCount,
    ValuesTest,
)
from schemas.json_path import JsonValue
from schemas.matching import geo, tokens, types, uuids, values
from schemas.text.words import words

GeoTest = GeoBoundingBox | GeoRadius | GeoPolygon
TextTest = MatchText | MatchTextAny | MatchPhrase | MatchPrefix


def passes(test: FieldTest, found: Sequence[Any]) -> bool:
    """Whether a field passes, given what ``json_path.values_at`` found there."""
    if isinstance(test, ValuesTest):
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
        case MatchUuid():
            return uuids.passes(test, value)
        case IsOfType():
            return types.is_of_type(value, test.data_type)
        case HasPhrase():
            return isinstance(value, str) and tokens.has_phrase(value, test)
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
        case HasTokens():
            return tokens.has_tokens((e for value in found for e in _elements(value) if isinstance(e, str)), test)


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
