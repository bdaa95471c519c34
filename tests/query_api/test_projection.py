"""Parts of payloads against the same rules on decoded values."""

from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api.fetch.projection import exclude, include
from schemas.json_path import EACH, JsonValue, Step, parse_path

Steps = tuple[Step, ...]
PAYLOAD = b'{"a":{"b":1,"c":2},"l":[{"b":1,"c":2},3,[{"b":4}]],"s":5,"e":{}}'

keys = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.none() | st.integers(0, 3),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(keys, children, max_size=3),
    max_leaves=12,
)
payloads = st.dictionaries(keys, values, max_size=3)
steps = st.one_of(keys, st.just(EACH), st.integers(0, 1))
paths = st.lists(st.tuples(keys, st.lists(steps, max_size=3)).map(lambda path: (path[0], *path[1])), max_size=3)


def filtered(value: JsonValue, at: Steps, keep: Callable[[Steps], bool]) -> JsonValue:
    """Every value whose place, with ``[]`` for any element, is to be kept, as long as what it is in is."""
    if isinstance(value, dict):
        return {k: filtered(v, (*at, k), keep) for k, v in value.items() if keep((*at, k))}
    if isinstance(value, list):
        return [filtered(v, (*at, EACH), keep) for v in value if keep((*at, EACH))]
    return value


def begins(path: Steps, start: Steps) -> bool:
    return path[: len(start)] == start


@given(payload=payloads, paths=paths)
def test_include(payload: dict[str, JsonValue], paths: Sequence[Steps]) -> None:
    found = msgspec.json.decode(include(msgspec.json.encode(payload), paths))
    assert found == filtered(payload, (), lambda at: any(begins(at, p) or begins(p, at) for p in paths))


@given(payload=payloads, paths=paths)
def test_exclude(payload: dict[str, JsonValue], paths: Sequence[Steps]) -> None:
    found = msgspec.json.decode(exclude(msgspec.json.encode(payload), paths))
    assert found == filtered(payload, (), lambda at: not any(begins(at, p) for p in paths))


@pytest.mark.parametrize(
    ("path", "included", "excluded"),
    [
        ("a.b", b'{"a":{"b":1}}', b'{"a":{"c":2},"l":[{"b":1,"c":2},3,[{"b":4}]],"s":5,"e":{}}'),
        ("a", b'{"a":{"b":1,"c":2}}', b'{"l":[{"b":1,"c":2},3,[{"b":4}]],"s":5,"e":{}}'),
        ("l.b", b'{"l":[]}', PAYLOAD),
        ("l[].b", b'{"l":[{"b":1},3,[]]}', b'{"a":{"b":1,"c":2},"l":[{"c":2},3,[{"b":4}]],"s":5,"e":{}}'),
        ("l[]", b'{"l":[{"b":1,"c":2},3,[{"b":4}]]}', b'{"a":{"b":1,"c":2},"l":[],"s":5,"e":{}}'),
        ("l[0].b", b'{"l":[]}', PAYLOAD),
        ("s.x", b'{"s":5}', PAYLOAD),
        ("e.x", b'{"e":{}}', PAYLOAD),
        ("nothing", b"{}", PAYLOAD),
    ],
)
def test_as_qdrant_does_it(path: str, included: bytes, excluded: bytes) -> None:
    steps = [parse_path(path).steps]
    assert include(PAYLOAD, steps) == included
    assert exclude(PAYLOAD, steps) == excluded


def test_what_is_kept_is_kept_byte_for_byte() -> None:
    odd = b'{"big":123456789012345678901234567890,"float":1.50e3,"list":[ 1.0 , {"x" : "\\u00e9"} ],"text":"\\/"}'
    everything = [parse_path(key).steps for key in ("big", "float", "list", "text")]
    assert include(odd, everything) == odd
    assert exclude(odd, [parse_path("other").steps]) == odd
