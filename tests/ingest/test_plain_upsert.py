"""The quick way to read an upsert against the one that takes any: the same operation, or no answer."""

import json
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parser import points_of
from ingest.requests import checked, plain_upsert, upsert
from schemas.config import UNNAMED, CollectionConfig, Distance, VectorParams
from schemas.errors import HeadwaterError
from schemas.operations import Upsert
from schemas.rest.decode import decode_body
from schemas.rest.points import UpsertRequest

CONFIG = CollectionConfig({UNNAMED: VectorParams(2, Distance.DOT)})
UUID = "00000000-0000-0000-0000-0000000000ff"
MOST = 3.4028234663852886e38
_decoder = msgspec.json.Decoder(UpsertRequest)


def thorough(body: bytes) -> Upsert | None:
    try:
        operation = checked(CONFIG, upsert(CONFIG, decode_body(_decoder, body)))
    except HeadwaterError:
        return None
    assert isinstance(operation, Upsert)
    return operation


def body_of(*points: Any, **spaced: Any) -> bytes:
    return json.dumps({"points": points}, **spaced).encode()


numbers = st.floats(-MOST, MOST, width=32) | st.floats(-1, 1, width=32) | st.integers(-(10**6), 10**6)
payloads = st.dictionaries(
    st.text(max_size=3),
    st.recursive(st.none() | st.text(max_size=4) | st.integers() | st.booleans(), st.lists, max_leaves=4),
    max_size=3,
)
ids = st.integers(0, 2**64 - 1) | st.uuids().map(str)
points = st.fixed_dictionaries(
    {"id": ids, "vector": st.lists(numbers, min_size=2, max_size=2)}, optional={"payload": payloads | st.none()}
)


@given(st.lists(points, min_size=1, max_size=4), st.booleans(), st.sampled_from([None, 1]))
def test_what_is_read_is_what_is_meant(points: list[Any], ascii_only: bool, indent: int | None) -> None:
    body = body_of(*points, ensure_ascii=ascii_only, indent=indent)
    found = plain_upsert(CONFIG, body)
    assert found is None or found == thorough(body)


@pytest.mark.parametrize(
    "body",
    [
        body_of({"id": 1, "vector": [0.5, -0.25], "payload": {"a": '}\\"{', "b": [{"c": []}]}}),
        body_of({"vector": [1, 2], "id": UUID}, {"id": 2**63, "vector": [1e-7, -3e5], "payload": None}, indent=2),
        body_of({"payload": {}, "vector": [0, -0.0], "id": 0}, separators=(",", ":")),
        body_of({"id": 7, "vector": [0.1, 0.2], "payload": {"ä": "𝄞"}}, ensure_ascii=False),
        b'\n{ "points"\t:\r\n[ {"id": 1 , "vector" : [ 1.5E+2 , 25e-1 ] } ] }\n',
    ],
)
def test_usual_bodies_are_read_at_once(body: bytes) -> None:
    found = plain_upsert(CONFIG, body)
    assert found is not None
    assert found == thorough(body)


POINT = '{"id": 1, "vector": [1, 2]}'
OTHER = [
    *("", "{}", "[]", "null", '{"points": []}', '{"points": null}', '{"points": [null]}', '{"points": [[]]}'),
    *('{"points": [{}]}', '{"points": [{"id": 1}]}', '{"points": [{"vector": [1, 2]}]}', '{"points": [' + POINT),
    *(f'{{"points": [{POINT}], "shard_key": "a"}}', f'{{"points": [{POINT}], "points": [{POINT}]}}'),
    *(f'{{"points": [{POINT},]}}', f'{{"points": [{POINT} {POINT}]}}', f'{{"points": [{POINT}]}}}}', POINT),
    *(f'{{"points": [{POINT}]}} x', f'{{"points": [{POINT}]}}\0', f'\ufeff{{"points": [{POINT}]}}'),
]
PARTS = [
    *(
        '"id": 1, "vector": [1, 2], "id": 2',
        '"id": 1, "vector": [1, 2], "vector": [3, 4]',
        '"id": 1, "vectors": [1, 2]',
    ),
    *('"id": 1, "vector": [1, 2], "payload": {}, "payload": {"a": 1}', '"id": 1, "vector": [1, 2], "x": 1'),
    *(
        '"id": 1, "vector": [1, 2],',
        '"id": 1 "vector": [1, 2]',
        '"id" 1, "vector": [1, 2]',
        '"i\\u0064": 1, "vector": [1, 2]',
    ),
    *('"id": -1, "vector": [1, 2]', '"id": 01, "vector": [1, 2]', '"id": 1.0, "vector": [1, 2]'),
    *(f'"id": {2**64}, "vector": [1, 2]', '"id": "x", "vector": [1, 2]', '"id": null, "vector": [1, 2]'),
    *('"id": 1, "vector": [1]', '"id": 1, "vector": [1, 2, 3]', '"id": 1, "vector": []', '"id": 1, "vector": [[1, 2]]'),
    *('"id": 1, "vector": {"a": [1, 2]}', '"id": 1, "vector": null', '"id": 1, "vector": [1, null]'),
    *(
        f'"id": 1, "vector": [1, {number}]'
        for number in ("1e39", "-1e400", "NaN", "01", "1.", ".5", "-", "+1", "1e", "0x1")
    ),
    *(
        f'"id": 1, "vector": [1, 2], "payload": {payload}'
        for payload in ("[]", "1", '"a"', "{", "{]}", '{"a"}', '{"a": 1,}', '{"a": "\t"}', '{"a": 1e999}', "nul", "{}}")
    ),
    '"id": 1, "vector": [1, 2], "payload": {"a": ' + "[" * 200 + "]" * 200 + "}",
]


@pytest.mark.parametrize("text", [*OTHER, *(f'{{"points": [{{{part}}}]}}' for part in PARTS)])
def test_anything_else_gets_no_answer(text: str) -> None:
    assert plain_upsert(CONFIG, text.encode()) is None


@pytest.mark.parametrize("string", [b"\xff", b"\xc3\xa4", b"a\x80", b"\x00", b"\x1f"])
def test_strings_beyond_plain_ascii_get_no_answer(string: bytes) -> None:
    assert points_of(b'{"points":[{"id":"%b","vector":[1,2]}]}' % string, 2) is None


GOOD = body_of(
    {"id": 12, "vector": [0.5, -1.25e-3], "payload": {"a": ["b\\n", {"c": None}], "ä": 1.5}},
    {"id": UUID, "vector": [3, 4.75]},
    ensure_ascii=False,
)


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(GOOD)),
            st.integers(0, 4),
            st.sampled_from([b"", *map(bytes, zip(GOOD))]),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_damaged_bodies_mean_the_same_or_get_no_answer(edits: list[tuple[int, int, bytes]]) -> None:
    body = GOOD
    for at, gone, inserted in edits:
        body = body[:at] + inserted + body[at + gone :]
    found = plain_upsert(CONFIG, body)
    assert found is None or found == thorough(body)


@pytest.mark.parametrize(
    "config",
    [
        CollectionConfig({"a": VectorParams(2, Distance.DOT)}),
        CollectionConfig({UNNAMED: VectorParams(2, Distance.DOT), "b": VectorParams(2, Distance.DOT)}),
    ],
)
def test_collections_with_names_are_left_to_the_other(config: CollectionConfig) -> None:
    assert plain_upsert(config, body_of({"id": 1, "vector": [1, 2]})) is None


def test_so_many_points_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schemas.validation.MAX_POINTS_PER_OPERATION", 2)
    points = [{"id": number, "vector": [1, 2]} for number in range(3)]
    assert plain_upsert(CONFIG, body_of(*points[:2])) is not None
    assert plain_upsert(CONFIG, body_of(*points)) is None


def single(text: str) -> bytes | None:
    found = points_of(b'{"points":[{"id":1,"vector":[%b]}]}' % text.encode(), 1)
    return None if found is None else found[1]


def rounded(text: str) -> bytes:
    return np.array([json.loads(text)], np.float64).astype("<f4").tobytes()


@given(st.floats(-MOST, MOST, width=32))
def test_numbers_are_told_apart_as_they_are_printed(number: float) -> None:
    for text in (repr(number), f"{number:.8e}", str(np.float32(number))):
        assert single(text) in (rounded(text), None)


@given(st.integers(-(10**19), 10**19), st.integers(-70, 70))
def test_numbers_are_rounded_as_through_float64(digits: int, exponent: int) -> None:
    text = f"{digits}e{exponent}"
    with np.errstate(over="ignore"):
        assert single(text) in (rounded(text), None)


@given(st.floats(2.0**-100, 2.0**100, width=32), st.integers(-40, 40), st.integers(9, 20))
def test_numbers_near_the_middle_of_two_are_rounded_as_through_float64(low: float, places: int, digits: int) -> None:
    middle = (low + float(np.nextafter(np.float32(low), np.float32(math.inf)))) / 2
    text = f"{middle + places * math.ulp(middle):.{digits}g}"
    assert single(text) in (rounded(text), None)


@pytest.mark.parametrize(
    "text",
    [
        *("0", "-0", "0.0", "-0.0", "-0e5", "0e999", "1", "-1", "0.1", "16777217", "16777219", "33554434.5", "0.3"),
        *("3.402823e38", "1.1755e-38", "-1.2345678901234567e-10", "9007199254740993"),
        *("0.00000000000000012345678901234567", "123456789.123456789", "1E5", "1e+5", "12345678901234567e-17"),
    ],
)
def test_ordinary_numbers_are_read(text: str) -> None:
    assert single(text) == rounded(text)


@pytest.mark.parametrize("text", ["1e39", "1e-40", "12345678901234567890123", "1e99999", "3.4028235677973366e38"])
def test_extraordinary_numbers_are_left_to_the_other(text: str) -> None:
    assert single(text) is None


def test_numbers_at_the_end_of_a_body_are_read_no_further() -> None:
    for text in ("1", "0.123456789", "1e5", "-", "1."):
        assert points_of(b'{"points":[{"id":1,"vector":[%b' % text.encode(), 1) is None
