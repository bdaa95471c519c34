"""Hypothesis strategies: ids, payloads and filters (as JSON builtins) that often have something in common."""

from typing import Any, cast
from uuid import UUID

from hypothesis import strategies as st

from schemas.ids import UUID_BASE, PointId

Json = dict[str, Any]

KEYS = ("a", "b", "c")
WORDS = ("red", "Red fox", "the quick fox", "fox-quick", "Straße", "été 2024", "", "true", "1")
INTEGERS = (-1, 0, 1, 2, 3, 2**53, -(2**63), 2**63 - 1)
FLOATS = (-1.5, 0.0, 1.0, 2.5, 1e300)
DATETIMES = (
    "2024-02-29",
    "2024-02-29T12:30:00Z",
    "2024-02-29 12:30:00.123456+02:00",
    "2024-02-29T12:30:00.1234567-0830",
    "2024-03-01T00:00",
    "2023-02-29T00:00:00Z",
    "not a date",
)
DATETIME_BOUNDS = ("2024-02-29T10:30:00Z", "2024-02-29T12:30:00", "2024-02-29", "2024-03-01T00:00:00+01:00")
VECTOR_NAMES = ("", "image", "text")

numbers = st.integers(0, UUID_BASE - 1).map(PointId)
uuids = st.integers(0, (1 << 128) - 1).map(lambda u: PointId(UUID_BASE + u))
point_ids = st.one_of(numbers, uuids)
few_ids = st.sampled_from([0, 1, 2, str(UUID(int=1)), str(UUID(int=2**127))])
"""Ids as JSON gives them, of which there are few."""

geo_points = st.fixed_dictionaries({"lon": st.integers(-6, 6), "lat": st.integers(-6, 6)})
far_points = st.fixed_dictionaries({"lon": st.sampled_from([-179.5, -90, 0, 90, 179.5]), "lat": st.integers(-80, 80)})
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(INTEGERS),
    st.sampled_from(FLOATS),
    st.sampled_from(WORDS),
    st.sampled_from(DATETIMES),
    geo_points,
    far_points,
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3))


values = st.recursive(scalars, _containers, max_leaves=6)
payloads: st.SearchStrategy[Json] = st.dictionaries(st.sampled_from(KEYS), values, max_size=3)

paths = st.lists(st.sampled_from(["a", "b", "c", "[]", "[0]", "[1]"]), min_size=0, max_size=3).flatmap(
    lambda steps: st.sampled_from(KEYS).map(
        lambda first: first + "".join(step if step[0] == "[" else f".{step}" for step in steps)
    )
)
keys = st.one_of(st.sampled_from(KEYS), paths)


def _bounds(values: st.SearchStrategy[Any], min_size: int = 0) -> st.SearchStrategy[Json]:
    return st.dictionaries(st.sampled_from(["lt", "lte", "gt", "gte"]), values, min_size=min_size, max_size=2)


def _ring(points: list[Json]) -> Json:
    return {"points": [*points, points[0]]}


rings = st.lists(geo_points, min_size=3, max_size=6).map(_ring)


def _lists_of(choices: tuple[Any, ...]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(choices), max_size=3)


word_matches = st.one_of(
    st.fixed_dictionaries({"value": st.sampled_from(WORDS)}),
    st.fixed_dictionaries({"any": _lists_of(WORDS)}),
    st.fixed_dictionaries({"except": _lists_of(WORDS)}),
    st.fixed_dictionaries({"text": st.sampled_from([*WORDS, "fox quick", "FOX"])}),
    st.fixed_dictionaries({"text_any": st.sampled_from([*WORDS, "fox zebra"])}),
    st.fixed_dictionaries({"phrase": st.sampled_from([*WORDS, "quick fox", "fox quick"])}),
    st.fixed_dictionaries({"prefix": st.sampled_from(["", "R", "re", "the ", "Stra"])}),
)
number_matches = st.one_of(
    st.fixed_dictionaries({"value": st.one_of(st.booleans(), st.sampled_from(INTEGERS))}),
    st.fixed_dictionaries({"any": _lists_of(INTEGERS)}),
    st.fixed_dictionaries({"except": _lists_of(INTEGERS)}),
)
number_ranges = _bounds(st.one_of(st.sampled_from(INTEGERS), st.sampled_from(FLOATS)))
datetime_ranges = _bounds(st.sampled_from(DATETIME_BOUNDS), min_size=1)


def _box(west: int, north: int, width: int, height: int) -> Json:
    return {"top_left": {"lon": west, "lat": north}, "bottom_right": {"lon": west + width, "lat": north - height}}


near_boxes = st.builds(_box, st.integers(-6, 3), st.integers(-3, 6), st.integers(-3, 9), st.integers(1, 9))
far_boxes = st.fixed_dictionaries({"top_left": far_points, "bottom_right": far_points})
circles = st.fixed_dictionaries(
    {"center": st.one_of(geo_points, far_points), "radius": st.sampled_from([0, 3e5, 1.1e6, 5e6, 2.1e7])}
)
polygons = st.fixed_dictionaries({"exterior": rings}, optional={"interiors": st.lists(rings, max_size=2)})

_FAMILIES: tuple[tuple[st.SearchStrategy[Any], st.SearchStrategy[tuple[str, Any]]], ...] = (
    (st.sampled_from(WORDS), st.tuples(st.just("match"), word_matches)),
    (st.one_of(st.booleans(), st.sampled_from(INTEGERS)), st.tuples(st.just("match"), number_matches)),
    (st.sampled_from((*INTEGERS, *FLOATS, True)), st.tuples(st.just("range"), number_ranges)),
    (st.sampled_from(DATETIMES), st.tuples(st.just("range"), datetime_ranges)),
    (geo_points, st.tuples(st.just("geo_bounding_box"), near_boxes)),
    (far_points, st.tuples(st.just("geo_bounding_box"), far_boxes)),
    (st.one_of(geo_points, far_points), st.tuples(st.just("geo_radius"), circles)),
    (geo_points, st.tuples(st.just("geo_polygon"), polygons)),
    (values, st.tuples(st.just("values_count"), _bounds(st.integers(0, 3)))),
    (values, st.tuples(st.sampled_from(["is_empty", "is_null"]), st.booleans())),
)
"""Values, and the tests that are about such values."""

_test_of_a_field = st.one_of([tests for _, tests in _FAMILIES])
field_conditions = st.tuples(keys, _test_of_a_field).map(lambda parts: {"key": parts[0], parts[1][0]: parts[1][1]})


@st.composite
def apt_cases(draw: st.DrawFn) -> tuple[Json, Json]:
    """A field condition, and a payload that has values of the kind it is about where it looks for them."""
    members, tests = draw(st.sampled_from(_FAMILIES))
    name, test = draw(tests)
    value = draw(st.one_of(members, members, st.lists(st.one_of(members, scalars), max_size=3)))
    key, payload = draw(
        st.sampled_from(
            [
                ("a", {"a": value}),
                ("a.b", {"a": {"b": value}, "b": value}),
                ("a[]", {"a": [value, None]}),
                ("a[].b", {"a": [{"b": value}, {"c": value}]}),
                ("a[1].b", {"a": [{}, {"b": value}]}),
            ]
        )
    )
    return {"key": key, name: test}, payload


slices = st.integers(1, 4).flatmap(
    lambda total: st.integers(0, total - 1).map(lambda index: {"slice": {"index": index, "total": total}})
)
simple_conditions = st.one_of(
    field_conditions,
    field_conditions,
    st.tuples(st.sampled_from(["is_empty", "is_null"]), keys).map(lambda parts: {parts[0]: {"key": parts[1]}}),
    st.lists(few_ids, max_size=3).map(lambda ids: {"has_id": ids}),
    st.sampled_from(VECTOR_NAMES).map(lambda name: {"has_vector": name}),
    slices,
)


def is_local_modes(value: Any) -> bool:
    """Whether local mode answers a filter, or what is in it, as the server without payload indexes does.

    It does not where texts are concerned (it looks for words, the server for parts of strings) and where an integer
    is looked for (none but integers equal one there).
    """
    if isinstance(value, list):
        return all(map(is_local_modes, value))  # pyright: ignore[reportUnknownArgumentType]
    if not isinstance(value, dict):
        return True
    found = cast(Json, value)
    match = found.get("match")
    if isinstance(match, dict):
        (kind, operand), *_ = match.items()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        operands = operand if isinstance(operand, list) else [operand]  # pyright: ignore[reportUnknownVariableType]
        return kind not in ("text", "text_any", "phrase") and 1 not in operands and 0 not in operands
    return all(map(is_local_modes, found.values()))


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> Json:
    """A condition as JSON builtins, of any kind; filters within it are at most ``depth`` deep."""
    kind = draw(st.integers(0, 5)) if depth > 0 else 0
    if kind < 4:
        return draw(simple_conditions)
    inner = draw(filters(depth - 1))
    return inner if kind == 4 else {"nested": {"key": draw(keys), "filter": inner}}


@st.composite
def filters(draw: st.DrawFn, depth: int = 2) -> Json:
    """A filter as JSON builtins, with every kind of clause and condition."""
    obj: Json = {}
    for clause in draw(st.lists(st.sampled_from(["must", "should", "must_not", "min_should"]), max_size=3)):
        members = [draw(conditions(depth)) for _ in range(draw(st.integers(0, 3)))]
        if clause == "min_should":
            obj[clause] = {"conditions": members, "min_count": draw(st.integers(1, 3))}
        else:
            obj[clause] = members[0] if len(members) == 1 and draw(st.booleans()) else members
    return obj
