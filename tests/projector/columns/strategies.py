"""Random payloads and filters from a small vocabulary, so that they meet."""

from typing import Any

from hypothesis import strategies as st

KEYS = ["a", "b", "c d", "k"]
TEXTS = [
    "x",
    "y",
    "x y",
    "",
    "550e8400-e29b-41d4-a716-446655440000",
    "550E8400E29B41D4A716446655440000",
    "2020-01-02",
    "2020-01-02T03:04:05Z",
    "2020-01-02T04:04:05+01:00",
    "é",
    "a\x00b",
]
INTEGERS = [0, 1, -1, 5, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**64 - 1]
FLOATS = [0.0, -0.0, 0.5, 1.0, 5.0, -1.0, float(2**53), 1e300]
POINTS = [
    {"lon": 1.0, "lat": 2.0},
    {"lon": 1.001, "lat": 2.0},
    {"lon": 2, "lat": 2},
    {"lon": 3.0, "lat": 2.0},
    {"lon": -179.9, "lat": 2.0},
    {"lon": 10.0, "lat": 89.9},
    {"lon": 540.0, "lat": -91.0},
    {"lon": 1e300, "lat": 2.5},
    {"lon": "1", "lat": 2.0},
    {"lon": 1.0},
]

scalars = st.one_of(
    st.none(), st.booleans(), st.sampled_from(TEXTS), st.sampled_from(INTEGERS), st.sampled_from(FLOATS)
)


def _nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3))


values = st.recursive(st.one_of(scalars, st.sampled_from(POINTS)), _nest, max_leaves=6)
payloads = st.dictionaries(st.sampled_from(KEYS), values, max_size=3)

_key = st.sampled_from(["a", "b", '"c d"', "k"])
_steps = st.sampled_from(["", "", "", "[]", "[0]", ".a", ".b", "[].a", "[].k", "[0].b", "[][].a", "[1][].k", ".k[]"])
keys = st.builds(str.__add__, _key, _steps)

_filter_integers = st.sampled_from([i for i in INTEGERS if i < 2**63])


def _object(name: str, inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: inner})


_lists = st.one_of(
    st.lists(st.sampled_from(TEXTS), max_size=3),
    st.lists(_filter_integers, max_size=3),
)
_matches = st.one_of(
    _object("value", st.sampled_from(TEXTS)),
    _object("value", _filter_integers),
    _object("value", st.booleans()),
    _object("any", _lists),
    _object("except", _lists),
    st.sampled_from([{"text": "x"}, {"text_any": "x y"}, {"phrase": "x y"}, {"prefix": "x"}]),
)
_bounds = st.sampled_from(["lt", "lte", "gt", "gte"])
_ranges = st.dictionaries(_bounds, st.sampled_from([*INTEGERS, *FLOATS]), max_size=2)
_datetimes = st.dictionaries(_bounds, st.sampled_from(["2020-01-02", "2020-01-02T03:04:05Z"]), min_size=1, max_size=2)
_counts = st.dictionaries(_bounds, st.integers(0, 3), max_size=2)
_centers = st.sampled_from([{"lon": 1.0, "lat": 2.0}, {"lon": 180.0, "lat": 2.0}, {"lon": -170.0, "lat": 90.0}])
_circles = st.fixed_dictionaries(
    {"center": _centers, "radius": st.sampled_from([0.0, 100.0, 1000.0, 111_195.0, 2e5, 1.2e7, 3e7])}
)
_BOXES = [
    {"top_left": {"lon": 0.0, "lat": 3.0}, "bottom_right": {"lon": 2.0, "lat": 1.0}},
    {"top_left": {"lon": 170.0, "lat": 90.0}, "bottom_right": {"lon": 1.001, "lat": 2.0}},
]


def _ring(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"points": [{"lon": lon, "lat": lat} for lon, lat in (*corners, corners[0])]}


_SQUARE = _ring((0.0, 1.0), (2.0, 1.0), (2.0, 3.0), (0.0, 3.0))
_POLYGONS = [
    {"exterior": _SQUARE},
    {"exterior": _ring((0.0, 0.0), (4.0, 4.0), (4.0, 0.0))},
    {"exterior": _ring((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)), "interiors": [_SQUARE]},
]

_tests = st.one_of(
    _object("match", _matches),
    _object("range", st.one_of(_ranges, _datetimes)),
    _object("values_count", _counts),
    _object("is_empty", st.booleans()),
    _object("is_null", st.booleans()),
    _object("geo_radius", _circles),
    _object("geo_bounding_box", st.sampled_from(_BOXES)),
    _object("geo_polygon", st.sampled_from(_POLYGONS)),
)


def _field(key: str, test: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, **test}


_points = st.one_of(
    _object("has_id", st.lists(st.integers(0, 9), max_size=4)),
    _object("has_vector", st.sampled_from(["every", "some", "none"])),
    st.just({"slice": {"index": 0, "total": 2}}),
    _object("is_empty", _object("key", keys)),
    _object("is_null", _object("key", keys)),
)


def _filters(conditions: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    clause = st.lists(conditions, min_size=1, max_size=3)
    min_should = st.fixed_dictionaries({"conditions": clause, "min_count": st.integers(1, 3)})
    clauses = {"must": clause, "should": clause, "must_not": clause, "min_should": min_should}
    return st.fixed_dictionaries({}, optional=clauses)


def _combine(conditions: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    filters = _filters(conditions)
    nested = _object("nested", st.fixed_dictionaries({"key": keys, "filter": filters}))
    return st.one_of(filters, nested)


_fields = st.builds(_field, keys, _tests)
filters = _filters(st.recursive(st.one_of(_fields, _fields, _points), _combine, max_leaves=5))
