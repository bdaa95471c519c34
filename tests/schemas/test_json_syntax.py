"""What is said of a text that is no JSON: in the words and at the columns that were recorded."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadInputError
from schemas.rest.decode import MAX_TOLD_BYTES, decode_body
from schemas.rest.json_syntax import syntax_error
from tests.golden.transcript import names, read

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
SYNTAX = (
    "EOF while parsing",
    "expected value",
    "expected ident",
    "expected `",
    "trailing",
    "key must be",
    "control character",
    "hex escape",
    "invalid number",
    "number out of range",
)
RECORDED = {
    f"{name}-{step.number}": (step.fields["raw_body"], step.fields["answer"]["status"]["error"])
    for name in names()
    for step in read(name).steps
    if "raw_body" in step.fields
    and isinstance(step.fields.get("answer"), dict)
    and isinstance(step.fields["answer"]["status"], dict)
    and step.fields["answer"]["status"]["error"].removeprefix("Format error in JSON body: ").startswith(SYNTAX)
}


@pytest.mark.parametrize("case", RECORDED)
def test_recorded_errors(case: str) -> None:
    text, said = RECORDED[case]
    assert f"Format error in JSON body: {syntax_error(text.encode())}" == said


@given(
    value=values, cut=st.integers(0, 60), put=st.sampled_from([b"", b"]", b"}", b",", b'"', b"1", b"t", b"\\", b"\xff"])
)
def test_there_is_an_error_where_the_text_cannot_be_decoded(value: object, cut: int, put: bytes) -> None:
    text = json.dumps(value, ensure_ascii=False).encode()
    text = text[:cut] + put + text[cut + 1 :]
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        assert syntax_error(text) is not None
    else:
        assert syntax_error(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{\n  "a": 1,\n  "b": }', "expected value at line 3 column 8"),
        (b'{"a"}', "expected `:` at line 1 column 5"),
        (b"[1 2]", "expected `,` or `]` at line 1 column 4"),
        (b'"\\x"', "invalid escape at line 1 column 3"),
        (b'"\\udc00"', "lone leading surrogate in hex escape at line 1 column 7"),
        (b"-", "EOF while parsing a value at line 1 column 1"),
        (b"1e+", "EOF while parsing a value at line 1 column 3"),
        (b"[" * 100_000, "EOF while parsing a list at line 1 column 100000"),
    ],
)
def test_words_and_columns(text: bytes, said: str) -> None:
    assert syntax_error(text) == said


class _Request(msgspec.Struct):
    limit: int


def test_a_body_that_is_no_json_is_answered_so() -> None:
    with pytest.raises(BadInputError, match=r"^Format error in JSON body: trailing comma at line 1 column 12$"):
        decode_body(msgspec.json.Decoder(_Request), b'{"limit":1,}')
    with pytest.raises(BadInputError, match=r"^Format error in JSON body: JSON is malformed"):
        decode_body(msgspec.json.Decoder(_Request), b'{"limit":1,}'.rjust(MAX_TOLD_BYTES + 1))
