"""Payloads that are seen to be good without being decoded are good; most are seen to be."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parser import unplain_payloads
from ingest.payload_checks import check_payloads
from schemas import validation
from schemas.errors import BadInputError
from schemas.operations import ClearPayload, Operation, SetPayload, Upsert

PLAIN = [
    b"",
    b"{}",
    b' {\n"a" : [ ] ,\t"b":{ }\r} ',
    b'{"n":123,"x":-0.25,"zero":0,"minus":-0,"digits":123456789012345678}',
    b'{"t":true,"f":false,"z":null,"s":"a \\"b\\" \\\\ \\/ \\b\\f\\n\\r\\t","a":[1,[2],{"b":3}]}',
    '{"ä":"ߐ ࠀ ퟿  ￿ 𐀀 \U0010ffff \x7f"}'.encode(),
    b'{"a":1,"a":2}',
]
OTHERS = [
    *(b"[]", b"null", b"1", b" ", b'{"a"}', b'{"a":}', b'{"a":1,}', b"{,}", b'{"a":1}}', b'{"a":1', b'{"a":1}x'),
    *(b"{a:1}", b'{"a":01}', b'{"a":-}', b'{"a":1.}', b'{"a":.5}', b'{"a":+1}', b'{"a":1e5}', b'{"a":1E}'),
    *(b'{"a":tru}', b'{"a":truex}', b'{"a":[1,]}', b'{"a":[1 2]}', b'{"a":NaN}', b'{"a":"\n"}', b'{"a":"\\x"}'),
    *(b'{"a":"\\u00e4"}', b'{"a":"', b'{"a":"\\', b'{"a":"\xc3', b'{"a":"\x80"}', b'{"a":"\xc0\x80"}'),
    *(b'{"a":"\xc3("}', b'{"a":"\xe0\x80\x80"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xf0\x80\x80\x80"}'),
    *(b'{"a":"\xf4\x90\x80\x80"}', b'{"a":"\xff"}', b'{"a":1234567890123456789012}'),
    *(b'{"a":' * levels + b"1" + b"}" * levels for levels in (9, 70)),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def refused(check: Any, op: Operation) -> str | None:
    try:
        check(op)
    except BadInputError as error:
        return str(error)
    return None


@pytest.mark.parametrize("payload", PLAIN)
def test_usual_payloads_are_plain(payload: bytes) -> None:
    assert unplain_payloads([payload]) == []
    validation.decode_payload(payload)


@pytest.mark.parametrize("payload", OTHERS)
def test_others_are_not_and_those_after_them_are_told_of_too(payload: bytes) -> None:
    assert unplain_payloads([payload, b"{}", payload]) == [0, 2]


@pytest.mark.parametrize("payload", [*PLAIN, *OTHERS])
def test_the_answer_is_that_of_decoding(payload: bytes) -> None:
    for op in (Upsert([1, 2], {}, [b'{"a":1}', payload]), SetPayload(payload, ids=[1]), ClearPayload([1])):
        assert refused(check_payloads, op) == refused(validation.check_payloads, op)


@given(st.dictionaries(st.text(max_size=3), values), st.booleans(), st.sampled_from([None, 1]), st.data())
def test_a_plain_payload_can_be_decoded(
    payload: dict[str, Any], ascii_only: bool, indent: int | None, data: st.DataObject
) -> None:
    text = json.dumps(payload, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    cut = data.draw(st.integers(0, len(text)))
    for changed in (text, text[:cut] + data.draw(st.binary(max_size=2)) + text[cut + data.draw(st.integers(0, 2)) :]):
        if not unplain_payloads([changed]):
            validation.decode_payload(changed)


def test_payloads_are_bytes() -> None:
    with pytest.raises(TypeError):
        unplain_payloads(["{}"])  # type: ignore[list-item]
