"""The parser's way to read vectors against the plain one: the same bytes, or no answer."""

import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parser import each_vector_of, vectors_of
from ingest.vector_columns import to_columns
from schemas.config import UNNAMED, CollectionConfig, Distance, VectorParams
from schemas.errors import BadInputError, UnprocessableError

LARGEST = 3.4028234663852886e38
numbers = st.floats(-LARGEST, LARGEST) | st.integers(-(10**6), 10**6) | st.floats(width=32, allow_nan=False)
usual = st.floats(2.0**-60, 2.0**60, width=32) | st.integers(-(10**6), 10**6)


def plain(size: int, raw: list[msgspec.Raw]) -> bytes | None:
    try:
        vectors = [msgspec.json.decode(item, type=list[float]) for item in raw]
        return b"".join([struct.pack(f"<{size}f", *vector) for vector in vectors])
    except (msgspec.DecodeError, struct.error, OverflowError):
        return None


@given(st.integers(1, 5).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.lists(numbers, min_size=n, max_size=n)))))
def test_vectors_have_the_bytes_that_struct_packs_or_get_no_answer(case: tuple[int, list[list[float]]]) -> None:
    size, vectors = case
    texts = [msgspec.json.encode(vector) for vector in vectors]
    for text, found in zip(texts, each_vector_of(texts, size), strict=True):
        assert found in (plain(size, [msgspec.Raw(text)]), None)


@given(st.lists(st.lists(usual, min_size=2, max_size=2), min_size=1), st.sampled_from([",", ", ", " ,\n"]))
def test_arrays_of_them_are_read_alike(vectors: list[list[float]], separator: str) -> None:
    texts = [msgspec.json.encode(vector) for vector in vectors]
    expected = plain(2, [msgspec.Raw(text) for text in texts])
    assert expected is not None
    assert b"".join(row or b"" for row in each_vector_of(texts, 2)) == expected
    assert vectors_of(b"[%b]" % separator.encode().join(texts), 2) == expected


OTHER_ARRAYS = [
    *("", "[]", "[[]]", "[1,2]", "[[1,2],3]", "[[1,2],[[3],4]]", '[["1",2],["],[",4]]', "[[1],[2]]", "[[1,2],]"),
    *("[[1,2] [3,4]]", "[[1,2]", "[[1,2]]]", "[[1,2]] 3", "[[1,2,3]]", "[[1,null]]", "[[1,2e999]]"),
]


@pytest.mark.parametrize("text", OTHER_ARRAYS)
def test_arrays_of_anything_else_get_no_answer(text: str) -> None:
    assert vectors_of(text.encode(), 2) is None


BAD = [
    *("[1,2,3]", "[]", "[[1,2]]", "[[1],[2]]", '["1","2"]', "[1,null]", "[1,true]", "[1,1e39]", "[1,-1e400]"),
    *("[1,{}]", "[{},{}]", "[1,[2]", "[1],2]", "[1,2]]"),
    *('{"a":[1,2]}', "7", "null", '"[1,2]"', "[1,2", "[1,,2]", "[NaN,1]"),
]


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_an_array_of_good_numbers_gets_no_answer_and_then_an_error(text: str) -> None:
    raw = [msgspec.Raw(b"[0.5,1]"), msgspec.Raw(text.encode())]
    assert each_vector_of(raw, 2) == [struct.pack("<2f", 0.5, 1), None]
    config = CollectionConfig({UNNAMED: VectorParams(2, Distance.DOT)})
    with pytest.raises((BadInputError, UnprocessableError), match=r"points\[1\]\.vector"):
        to_columns(config, raw)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [(b"[1,99999999999999999999]", (1, 1e20)), (b"[1,1e-50]", (1, 0)), (b"[1,16777217.0000000001]", (1, 2**24))],
)
def test_numbers_that_the_parser_is_not_certain_of_take_the_other_way(text: bytes, numbers: tuple[float, ...]) -> None:
    assert each_vector_of([text], 2) == [None]
    raw = [msgspec.Raw(b"[3,4]"), msgspec.Raw(text)]
    columns = to_columns(CollectionConfig({UNNAMED: VectorParams(2, Distance.DOT)}), raw)
    assert columns[UNNAMED].data == struct.pack("<4f", 3, 4, *numbers)


@given(st.lists(st.lists(numbers, max_size=2), max_size=5), st.integers(1, 2))
def test_vectors_of_another_size_get_no_answer(vectors: list[list[float]], size: int) -> None:
    found = each_vector_of([msgspec.json.encode(vector) for vector in vectors], size)
    assert all(row is None for row, vector in zip(found, vectors, strict=True) if len(vector) != size)


def test_named_vectors_keep_who_has_them() -> None:
    config = CollectionConfig({"a": VectorParams(1, Distance.DOT), "b": VectorParams(2, Distance.DOT)})
    parts: list[Any] = [{"a": [1]}, {"b": [2, 3], "a": [4]}]
    columns = to_columns(config, [msgspec.Raw(msgspec.json.encode(part)) for part in parts])
    assert columns["a"].rows is None
    assert columns["b"].rows == [1]
    assert columns["b"].data == struct.pack("<2f", 2, 3)
