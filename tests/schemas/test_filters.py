"""Parsing filters: what is read, what is refused and what the message points at."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadInputError, UnprocessableError
from schemas.filters import (
    MAX_CONDITIONS,
    MAX_FILTER_DEPTH,
    MAX_VALUES,
    DatetimeRange,
    FieldCondition,
    FieldTest,
    Filter,
    GeoBoundingBox,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    HasId,
    HasVector,
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
    MinShould,
    Nested,
    Range,
    Slice,
    ValuesCount,
    parse_filter,
)
from schemas.ids import UUID_BASE, PointId
from schemas.json_path import EACH, Path
from tests.schemas import strategies

EMPTY: dict[str, Any] = {}
NO_ID = "is not a valid point ID, valid values are either an unsigned integer or a UUID"
POINT = {"lon": 1, "lat": 2.5}
RING: dict[str, list[dict[str, float]]] = {"points": [POINT, {"lon": 2, "lat": 2}, {"lon": 2, "lat": 3}, POINT]}
RING_POINTS = (GeoPoint(1, 2.5), GeoPoint(2, 2), GeoPoint(2, 3), GeoPoint(1, 2.5))


@pytest.mark.parametrize(
    ("name", "obj", "expected"),
    [
        ("match", {"value": "x"}, MatchKeyword("x")),
        ("match", {"value": 1}, MatchInteger(1)),
        ("match", {"value": True}, MatchBool(True)),
        ("match", {"any": ["x", "y", "x"]}, MatchAny(frozenset({"x", "y"}))),
        ("match", {"any": [], "value": None}, MatchAny(frozenset())),
        ("match", {"except": [1, 2]}, MatchExcept(frozenset({1, 2}))),
        ("match", {"text": "x y"}, MatchText("x y")),
        ("match", {"text_any": "x y"}, MatchTextAny("x y")),
        ("match", {"phrase": "x y"}, MatchPhrase("x y")),
        ("match", {"prefix": "x"}, MatchPrefix("x")),
        ("range", {}, Range()),
        ("range", {"lt": 1, "lte": 2.5, "gt": None, "gte": -1}, Range(lt=1.0, lte=2.5, gte=-1.0)),
        ("range", {"gt": 2**64 - 1}, Range(gt=2**64 - 1)),
        ("range", {"gte": "1970-01-01T00:00:01Z"}, DatetimeRange(gte=1_000_000)),
        ("values_count", {"lt": 3, "gte": 0}, ValuesCount(lt=3, gte=0)),
        ("geo_radius", {"center": POINT, "radius": 5}, GeoRadius(GeoPoint(1, 2.5), 5.0)),
        (
            "geo_bounding_box",
            {"top_left": POINT, "bottom_right": {"lon": 180, "lat": -90}},
            GeoBoundingBox(GeoPoint(1, 2.5), GeoPoint(180, -90)),
        ),
        ("geo_polygon", {"exterior": RING, "interiors": None}, GeoPolygon(RING_POINTS)),
        ("geo_polygon", {"exterior": RING, "interiors": [RING]}, GeoPolygon(RING_POINTS, (RING_POINTS,))),
        ("is_empty", True, IsEmpty()),
        ("is_null", False, IsNull(False)),
    ],
)
def test_reads_a_field_condition(name: str, obj: object, expected: FieldTest) -> None:
    unset = dict.fromkeys(["match", "range", "geo_radius", "is_null"])
    for spelling in ({"key": "a", name: obj}, {**unset, "key": "a", name: obj}):
        assert parse_filter({"must": spelling}).must == (FieldCondition(Path(("a",)), (expected,)),)


CONDITIONS: list[tuple[dict[str, Any], object]] = [
    ({"is_empty": {"key": "a"}}, FieldCondition(Path(("a",)), (IsEmpty(),))),
    ({"is_null": {"key": "a"}}, FieldCondition(Path(("a",)), (IsNull(),))),
    (
        {"has_id": [1, "00000000-0000-0000-0000-000000000001", 1]},
        HasId(frozenset({PointId(1), PointId(UUID_BASE + 1)})),
    ),
    ({"has_vector": ""}, HasVector("")),
    ({"slice": {"index": 1, "total": 4}}, Slice(1, 4)),
    ({"nested": {"key": "a", "filter": {}}}, Nested(Path(("a", EACH)), Filter())),
    ({"nested": {"key": "a[]", "filter": {}}}, Nested(Path(("a", EACH)), Filter())),
    ({"should": None, "must": [{}]}, Filter(must=(Filter(),))),
    (
        {"min_should": {"conditions": [{}], "min_count": 1}},
        Filter(min_should=MinShould((Filter(),), 1)),
    ),
    ({}, Filter()),
]


@pytest.mark.parametrize(("obj", "expected"), CONDITIONS)
def test_reads_a_condition(obj: dict[str, Any], expected: object) -> None:
    assert parse_filter({"must_not": [obj]}).must_not == (expected,)
    assert parse_filter({"should": obj}).should == (expected,)


def test_several_tests_of_a_field_are_kept() -> None:
    (condition,) = parse_filter({"must": {"key": "a", "range": {"lt": 3}, "match": {"value": 5}}}).must
    assert condition == FieldCondition(Path(("a",)), (MatchInteger(5), Range(lt=3.0)))


def test_a_number_and_a_boolean_are_different_filters() -> None:
    ones = {parse_filter({"must": {"key": "a", "match": {"value": value}}}) for value in (1, True, "1")}
    assert len(ones) == 3


FIELD_ERRORS: list[tuple[object, str]] = [
    ({"key": 1, "is_null": True}, ".key: expected a string, not 1"),
    ({"key": "a", "macth": {"value": 1}}, ": unknown field 'macth', expected one of"),
    ({"key": "a", "match": {"value": 1}, "must": []}, ": unknown field 'must'"),
    ({"key": "a", "match": 5}, ".match: expected an object, not 5"),
    ({"key": "a", "match": {}}, ".match: expected exactly one of"),
    ({"key": "a", "match": {"value": 1, "text": "x"}}, ".match: expected exactly one of"),
    ({"key": "a", "match": {"keyword": "x"}}, ".match: unknown field 'keyword'"),
    ({"key": "a", "match": {"value": 1.0}}, ".match.value: expected a string, an integer or a boolean, not 1.0"),
    ({"key": "a", "match": {"value": [1]}}, ".match.value: expected a string, an integer or a boolean, not an array"),
    ({"key": "a", "match": {"value": 2**63}}, ".match.value: 9223372036854775808 is out of range"),
    ({"key": "a", "match": {"value": 10**5000}}, ".match.value: an integer of 16610 bits is out of range"),
    ({"key": "a", "match": {"any": "x"}}, ".match.any: expected an array, not 'x'"),
    ({"key": "a", "match": {"any": ["x", 1]}}, ".match.any[1]: expected a string, not 1"),
    ({"key": "a", "match": {"any": [1, True]}}, ".match.any[1]: expected an integer, not True"),
    ({"key": "a", "match": {"except": [1.5]}}, ".match.except[0]: expected an integer, not 1.5"),
    ({"key": "a", "match": {"text": 1}}, ".match.text: expected a string, not 1"),
    ({"key": "a", "range": {"gt": "1970-01-01", "lt": 5}}, ".range.lt: expected a string, not 5"),
    ({"key": "a", "range": {"gt": True}}, ".range.gt: expected a number, not True"),
    ({"key": "a", "range": {"gt": float("nan")}}, ".range.gt: expected a number, not nan"),
    ({"key": "a", "range": {"gt": float("-inf")}}, ".range.gt: expected a number, not -inf"),
    ({"key": "a", "range": {"gt": 2**64}}, ".range.gt: 18446744073709551616 is out of range"),
    ({"key": "a", "range": {"above": 1}}, ".range: unknown field 'above'"),
    ({"key": "a", "values_count": {"gt": -1}}, ".values_count.gt: -1 is out of range"),
    ({"key": "a", "values_count": {"gt": 1.0}}, ".values_count.gt: expected an integer, not 1.0"),
    ({"key": "a", "geo_radius": {"center": POINT}}, ".geo_radius: missing field 'radius'"),
    ({"key": "a", "geo_radius": {"center": {"lon": 0}, "radius": 1}}, ".geo_radius.center: missing field 'lat'"),
    ({"key": "a", "geo_bounding_box": {"top_left": POINT}}, ".geo_bounding_box: missing field 'bottom_right'"),
    ({"key": "a", "geo_polygon": {"exterior": RING, "interiors": [{}]}}, ".geo_polygon.interiors[0]: missing field"),
    ({"key": "a", "is_empty": 1}, ".is_empty: expected true or false, not 1"),
]

OTHER_ERRORS: list[tuple[object, str]] = [
    (5, ": expected an object, not 5"),
    (None, ": expected an object, not null"),
    ([], ": expected an object, not an array"),
    ({1: 2}, ": a field's name must be a string, not 1"),
    ({"color": "red"}, ": not a condition; its fields are: color"),
    ({"must": 5}, ".must: expected a condition or an array of conditions, not 5"),
    ({"must": [None]}, ".must[0]: expected an object, not null"),
    ({"must": [], "nust": []}, ": not a condition"),
    ({"is_empty": {}}, ".is_empty: missing field 'key'"),
    ({"is_null": "a"}, ".is_null: expected an object, not 'a'"),
    ({"has_id": 1}, ".has_id: expected an array, not 1"),
    ({"has_id": [1], "has_vector": "x"}, ": unknown field 'has_vector'"),
    ({"has_vector": 1}, ".has_vector: expected a string, not 1"),
    ({"slice": {"index": 0, "total": 0}}, ".slice.total: 0 is out of range"),
    ({"nested": {"key": "a"}}, ".nested: missing field 'filter'"),
    ({"nested": {"key": "a", "filter": {"must": [{}, 3]}}}, ".nested.filter.must[1]: expected an object, not 3"),
    ({"min_should": {"conditions": []}}, ".min_should: missing field 'min_count'"),
    ({"min_should": {"conditions": {}, "min_count": 1}}, ".min_should.conditions: expected an array, not an object"),
    ({"min_should": []}, ".min_should: expected an object, not an array"),
]


@pytest.mark.parametrize(("condition", "problem"), FIELD_ERRORS + OTHER_ERRORS)
def test_says_where_and_what_is_wrong(condition: object, problem: str) -> None:
    with pytest.raises(BadInputError) as error:
        parse_filter({"should": [EMPTY, condition]})
    assert error.value.message.startswith(f"Wrong input: filter.should[1]{problem}")
    assert len(error.value.message) < 400


IN_QDRANTS_WORDS: list[tuple[Any, str, str]] = [
    ({"key": "a b", "is_null": True}, "Invalid json path: 'a b' (unexpected ' ' at position 1)", ".key"),
    ({"is_empty": {"key": ""}}, "Invalid json path: '' (it is empty)", ".is_empty.key"),
    (
        {"key": "a", "range": {"gt": "yesterday"}},
        "'yesterday' does not match accepted datetime format (RFC3339). Example: 2014-01-01T00:00:00Z",
        ".range.gt",
    ),
    (
        {"key": "a", "geo_radius": {"center": {"lon": 181, "lat": 0}, "radius": 1}},
        "Wrong format of GeoPoint payload: expected `lat` = 0 within [-90;90] and `lon` = 181 within [-180;180]",
        ".geo_radius.center",
    ),
    (
        {"key": "a", "geo_polygon": {"exterior": {"points": [POINT] * 3}}},
        "Validation failed: polygon invalid, the size must be at least 4, got 3",
        ".geo_polygon.exterior",
    ),
    (
        {"key": "a", "geo_polygon": {"exterior": {"points": [*RING["points"], {"lon": 0, "lat": 0}]}}},
        "Validation failed: polygon invalid, the first and the last points should be the same to form a closed line",
        ".geo_polygon.exterior",
    ),
    ({"has_id": [1, -1]}, f"value -1 {NO_ID}", ".has_id[1]"),
    ({"has_id": ["x"]}, f"value x {NO_ID}", ".has_id[0]"),
    ({"has_id": [True]}, f"value true {NO_ID}", ".has_id[0]"),
]


@pytest.mark.parametrize(("condition", "problem", "where"), IN_QDRANTS_WORDS)
def test_says_what_is_wrong_in_qdrants_words_and_where(condition: Any, problem: str, where: str) -> None:
    with pytest.raises(BadInputError) as error:
        parse_filter({"should": [{"is_null": {"key": "k"}}, condition]})
    assert error.value.message == f"Format error in JSON body: {problem} at filter.should[1]{where}"


@pytest.mark.parametrize("obj", [None, 5, "x", [], [{}]])
def test_a_filter_is_an_object(obj: object) -> None:
    with pytest.raises(BadInputError, match=r"^Wrong input: delete\.filter: expected an object"):
        parse_filter(obj, "delete.filter")


def test_a_filter_refuses_unknown_clauses() -> None:
    with pytest.raises(BadInputError, match="unknown field 'key', expected one of: min_should, must, must_not, should"):
        parse_filter({"key": "a", "match": {"value": 1}})


def deep(levels: int, *, nested: bool = False) -> dict[str, Any]:
    obj: dict[str, Any] = {}
    for _ in range(levels - 1):
        obj = {"must": [{"nested": {"key": "a", "filter": obj}}]} if nested else {"must": obj}
    return obj


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("levels", [MAX_FILTER_DEPTH + 1, 64, 5000])
def test_a_filter_that_is_too_deep_is_a_clear_error(levels: int, nested: bool) -> None:
    parse_filter(deep(MAX_FILTER_DEPTH, nested=nested))
    with pytest.raises(BadInputError, match=f"nested deeper than {MAX_FILTER_DEPTH} levels"):
        parse_filter(deep(levels, nested=nested))


def test_limits_on_conditions_and_values() -> None:
    parse_filter({"must": [EMPTY] * MAX_CONDITIONS})
    with pytest.raises(BadInputError, match=f"at most {MAX_CONDITIONS} conditions"):
        parse_filter({"must": [{"should": [EMPTY] * 99}] * 41})
    half = {"has_id": list(range(MAX_VALUES // 2))}
    parse_filter({"must": [half, half]})
    with pytest.raises(BadInputError, match=f"at most {MAX_VALUES} values"):
        parse_filter({"must": [half, half, {"key": "a", "match": {"any": ["x"]}}]})


@given(strategies.filters())
def test_is_hashable_and_survives_records(obj: dict[str, Any]) -> None:
    parsed = parse_filter(obj)
    assert hash(parsed) == hash(parse_filter(obj))
    assert parse_filter(msgspec.msgpack.decode(msgspec.msgpack.encode(obj))) == parsed
    assert parse_filter(msgspec.json.decode(msgspec.json.encode(obj))) == parsed


CLAUSES = ("must", "should", "must_not", "min_should", "conditions", "min_count", "nested", "filter", "x")
FIELDS = ("key", "match", "value", "any", "range", "gt", "geo_radius", "center", "lon", "lat", "is_empty", "has_id")
names = st.sampled_from(CLAUSES + FIELDS)
junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.binary(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=20,
)


@given(junk)
def test_junk_is_read_or_refused_but_never_crashes(obj: object) -> None:
    message = ""
    try:
        parse_filter(obj)
    except BadInputError as error:
        message = error.message
    assert not message or message.startswith("Wrong input: filter")


@pytest.mark.parametrize(
    ("condition", "broken"),
    [
        ({"key": "a"}, "filter.must: Validation error: At least one field condition must be specified"),
        ({"key": "a", "match": None}, "filter.must: Validation error: At least one field condition"),
        ({"slice": {"index": 4, "total": 4}}, "filter.must.slice.index: Slice index must be less than the total"),
        (
            {"min_should": {"conditions": [], "min_count": 0}},
            "filter.must.min_should.min_count: min_count must be greater than 0",
        ),
    ],
)
def test_says_which_rule_is_broken(condition: object, broken: str) -> None:
    with pytest.raises(UnprocessableError) as error:
        parse_filter({"must": condition})
    assert error.value.message.startswith(f"Validation error in JSON body: [{broken}")


def test_a_geo_point_may_be_an_array_of_longitude_and_latitude() -> None:
    condition = {"key": "a", "geo_radius": {"center": [1, 2.5], "radius": 5}}
    assert parse_filter({"must": condition}).must == (
        FieldCondition(Path(("a",)), (GeoRadius(GeoPoint(1, 2.5), 5.0),)),
    )
