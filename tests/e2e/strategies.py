"""What random requests are made of. Few ids, keys and values, so that they meet."""

from functools import cache
from typing import Any

from hypothesis import strategies as st
from qdrant_client import models

IDS: list[Any] = [
    *range(8),
    2**31,
    2**53 + 1,
    2**63 + 5,
    2**64 - 1,
    "00000000-0000-0000-0000-000000000001",
    "0f0e0d0c-0b0a-4908-8706-050403020100",
    "90f0a4e0-3f1c-4f0e-8d59-6a43d1d1a111",
    "ffffffff-ffff-ffff-ffff-fffffffffffe",
]
WORDS = ["oslo", "bergen", "Łódź", "a b"]
MOMENTS = ["2024-05-01T00:00:00Z", "2024-05-01T12:30:00+02:00", "2025-01-31T23:59:59.5Z", "1999-12-31T00:00:00Z"]
PLACES = [(59.91, 10.75), (60.39, 5.32), (-33.86, 151.2), (0.0, 179.9), (0.0, -179.9)]

point_ids = st.sampled_from(IDS)
quarters = st.integers(-8, 8).map(lambda n: n / 4)
"""Exact in 32 bits, and so are their sums and products."""


def vectors(size: int) -> st.SearchStrategy[list[float]]:
    """A vector, now and then all zeros."""
    return st.lists(quarters, min_size=size, max_size=size)


def id_lists(max_size: int = 5) -> st.SearchStrategy[list[Any]]:
    """Some ids, none twice."""
    return st.lists(point_ids, min_size=1, max_size=max_size, unique=True)


words = st.sampled_from(WORDS)
small = st.integers(-3, 6)
places = st.sampled_from(PLACES).map(lambda place: {"lat": place[0], "lon": place[1]})
numbers: st.SearchStrategy[float] = st.one_of(small, quarters)
parts: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional={"v": small, "w": words})
tokens = st.sampled_from(["quick", "Fox", "łódź", "a1", "don't"])
texts = st.lists(st.tuples(tokens, st.sampled_from([" ", "-", "_", ", "])), max_size=4).map(
    lambda pairs: "".join(token + separator for token, separator in pairs)
)
wanted = st.lists(st.sampled_from(["QUICK", "fox", "fo", "Łódź", "a1", "1", "don", "t", "-"]), max_size=3).map(" ".join)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "city": st.one_of(words, st.lists(words, max_size=3)),
    "n": st.one_of(small, st.lists(small, max_size=3)),
    "x": numbers,
    "flag": st.booleans(),
    "when": st.sampled_from(MOMENTS),
    "place": places,
    "deep": st.fixed_dictionaries({}, optional={"n": small, "parts": st.lists(parts, max_size=3)}),
    "text": texts,
    "odd": st.sampled_from([None, [], {}, "", 0, False, [None], [1, None]]),
}
_payloads = st.fixed_dictionaries({}, optional=FIELDS)


@st.composite
def _payload(draw: st.DrawFn) -> dict[str, Any]:
    return draw(_payloads)


payloads: st.SearchStrategy[dict[str, Any]] = _payload()
edits = payloads.filter(bool)
"""What a set or overwrite carries."""
edit_keys = st.sampled_from([None, None, "deep", "deep.more", "fresh", "deep.parts[0]", "deep.parts[]"])
removed_keys = st.lists(
    st.sampled_from([*FIELDS, "deep.n", "deep.parts[0]", "deep.parts[].v", "deep.parts[]", "missing"]),
    min_size=1,
    max_size=3,
    unique=True,
)
NUMBER_KEYS = ["n", "x", "deep.n", "deep.parts[].v", "city"]
WORD_KEYS = ["city", "deep.parts[].w", "n", "missing"]
ANY_KEYS = [*FIELDS, "deep.n", "deep.parts", "deep.parts[].v", "missing"]


def _bounds(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), values, min_size=1, max_size=2)


def _some(values: st.SearchStrategy[Any], max_size: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(values, min_size=1, max_size=max_size)


def _object(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(values)


def _condition(keys: list[str], **test: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _object(key=st.sampled_from(keys), **test)


_BOXES = [((70.0, 0.0), (50.0, 11.0)), ((90.0, -180.0), (-90.0, 180.0)), ((1.0, 179.0), (-1.0, -179.0))]
_boxes = st.sampled_from(_BOXES).map(
    lambda box: {
        "top_left": {"lat": box[0][0], "lon": box[0][1]},
        "bottom_right": {"lat": box[1][0], "lon": box[1][1]},
    }
)
_polygons = _object(
    exterior=st.sampled_from(
        [
            [(0.0, 70.0), (20.0, 70.0), (20.0, 50.0), (0.0, 50.0), (0.0, 70.0)],
            [(4.0, 61.0), (12.0, 61.0), (8.0, 55.0), (4.0, 61.0)],
        ]
    ).map(lambda ring: {"points": [{"lon": lon, "lat": lat} for lon, lat in ring]})
)
_circles = _object(center=places, radius=st.sampled_from([1.0, 100_000.0, 400_000.0, 2e6]))
_in_parts = st.one_of(_condition(["v"], range=_bounds(small)), _condition(["w"], match=_object(value=words)))


def conditions(vector_names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """One condition of any kind, as JSON; ``has_vector`` asks for one of the names."""
    field = st.sampled_from(ANY_KEYS).map(lambda key: {"key": key})
    return st.one_of(
        _condition(WORD_KEYS, match=_object(value=words)),
        _condition(NUMBER_KEYS, match=_object(value=small)),
        _condition(["flag", "odd"], match=_object(value=st.booleans())),
        _condition(WORD_KEYS, match=_object(any=_some(words))),
        _condition(["n", "deep.n"], match=_object(any=_some(small))),
        _condition(WORD_KEYS, match=st.fixed_dictionaries({"except": _some(words)})),
        _condition([*WORD_KEYS, "text"], match=_object(prefix=st.sampled_from(["", "o", "Łó", "a ", "quick", "Q"]))),
        st.sampled_from(["text", "phrase", "text_any"]).flatmap(
            lambda kind: _condition(["text"], match=_object(**{kind: wanted}))
        ),
        _condition(NUMBER_KEYS, range=_bounds(numbers)),
        _condition(["when", "city"], range=_bounds(st.sampled_from(MOMENTS))),
        _condition(ANY_KEYS, values_count=_bounds(st.integers(0, 3))),
        _condition(["place", "city"], geo_bounding_box=_boxes),
        _condition(["place"], geo_radius=_circles),
        _condition(["place"], geo_polygon=_polygons),
        _object(is_empty=field),
        _object(is_null=field),
        _object(has_id=id_lists()),
        _object(has_vector=st.sampled_from(vector_names)),
        _object(nested=_object(key=st.just("deep.parts"), filter=_object(must=_some(_in_parts, 2)))),
    )


@cache
def _filters(vector_names: tuple[str, ...]) -> st.SearchStrategy[models.Filter]:
    def clauses(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        some = _some(inner, 2)
        at_least = _object(conditions=_some(inner), min_count=st.integers(1, 3))
        one = [_object(must=some), _object(should=some), _object(must_not=some), _object(min_should=at_least)]
        return st.one_of(*one, _object(must=some, must_not=some), _object(should=some, must_not=some))

    nested = st.recursive(conditions(vector_names), clauses, max_leaves=3)
    return clauses(nested).map(models.Filter.model_validate)


@st.composite
def filters(draw: st.DrawFn, vector_names: list[str]) -> models.Filter:
    """Filters up to a few levels deep, never without a condition."""
    return draw(_filters(tuple(vector_names)))


def payload_selections() -> st.SearchStrategy[Any]:
    """What ``with_payload`` may be."""
    some = st.lists(st.sampled_from(["city", "deep.n", "deep.parts[].v", "missing"]), min_size=1, max_size=2)
    excluded = some.map(lambda keys: models.PayloadSelectorExclude(exclude=keys))
    return st.one_of(st.booleans(), some, excluded)
