"""Which values an index of a type is about."""

from typing import cast

from schemas.datetimes import parse_datetime
from schemas.json_path import JsonValue
from schemas.matching.geo import point_of
from schemas.matching.uuids import uuid_of

_INT64 = 1 << 63
MAX_LATITUDE, MAX_LONGITUDE = 90, 180


def is_of_type(value: JsonValue, data_type: str) -> bool:
    """Whether an element is a value of an index's type: "keyword", "integer", ..."""
    match data_type:
        case "keyword" | "text":
            return isinstance(value, str)
        case "integer":
            whole = type(value) is int or (type(value) is float and value.is_integer())
            return whole and -_INT64 <= cast(float, value) < _INT64
        case "float":
            return type(value) in (int, float)
        case "bool":
            return isinstance(value, bool)
        case "datetime":
            return isinstance(value, str) and parse_datetime(value) is not None
        case "uuid":
            return isinstance(value, str) and uuid_of(value) is not None
        case _:
            point = point_of(value)
            return point is not None and abs(point.lat) <= MAX_LATITUDE and abs(point.lon) <= MAX_LONGITUDE
