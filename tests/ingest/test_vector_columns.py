"""The quick way to read vectors against the plain one: the same bytes, or no answer."""

import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.vector_columns import read_rows, read_rows_of, read_unnamed, to_columns
from schemas.config import UNNAMED, CollectionConfig, Distance, VectorParams
from schemas.errors import BadInputError, UnprocessableError

LARGEST = 3.4028234663852886e38
numbers = st.floats(-LARGEST, LARGEST) | st.integers(-(10**6), 10**6) | st.floats(width=32, allow_nan=False)


def plain(size: int, raw: list[msgspec.Raw]) -> bytes | None:
    try:
        vectors = [msgspec.json.decode(item, type=list[float]) for item in raw]
        return b"".join([struct.pack(f"<{size}f", *vector) for vector in vectors])
    except (msgspec.DecodeError, struct.error, OverflowError):
        return None


@given(st.integers(1, 5).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.lists(numbers, min_size=n, max_size=n)))))
def test_good_vectors_give_the_bytes_that_struct_packs(case: tuple[int, list[list[float]]]) -> None:
    size, vectors = case
    raw = [msgspec.Raw(msgspec.json.encode(vector)) for vector in vectors]
    expected = plain(size, raw)
    if expected is not None and b"\x80\x7f" not in expected and b"\x80\xff" not in expected:
        assert read_unnamed(size, raw) == expected


@given(st.lists(st.lists(numbers, min_size=2, max_size=2)), st.sampled_from([",", ", "]))
def test_arrays_of_them_are_read_alike(vectors: list[list[float]], separator: str) -> None:
    texts = [msgspec.json.encode(vector) for vector in vectors]
    text = b"[%b]" % separator.encode().join(texts)
    raw = [msgspec.Raw(item) for item in texts]
    assert read_rows_of(2, text, len(vectors)) == (read_unnamed(2, raw) if vectors else None)


OTHER_ARRAYS = [
    *("[]", "[[]]", "[1,2]", "[[1,2],3]", "[[1,2],[3,4],[5,6]]", "[[1,2],[[3],4]]", '[["1",2],["],[",4]]', "[[1],[2]]"),
]


@pytest.mark.parametrize("text", OTHER_ARRAYS)
def test_arrays_of_anything_else_get_no_answer(text: str) -> None:
    assert read_rows_of(2, text.encode(), 2) is None


BAD = [
    *("[1,2,3]", "[]", "[[1,2]]", "[[1],[2]]", '["1","2"]', "[1,null]", "[1,true]", "[1,1e39]", "[1,-1e400]"),
    *("[1,{}]", "[{},{}]", "[1,[2]", "[1],2]", "[1,2]]"),
    *('{"a":[1,2]}', "7", "null", '"[1,2]"', "[1,2", "[1,,2]", "[NaN,1]"),
]


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_an_array_of_good_numbers_gets_no_answer_and_then_an_error(text: str) -> None:
    raw = [msgspec.Raw(b"[0.5,1]"), msgspec.Raw(text.encode())]
    assert read_unnamed(2, raw) is None
    config = CollectionConfig({UNNAMED: VectorParams(2, Distance.DOT)})
    with pytest.raises((BadInputError, UnprocessableError), match=r"points\[1\]\.vector"):
        to_columns(config, raw)


@given(st.lists(st.sampled_from(["[0.5,1]", "[3,4]", "[1]", "[1,1e-50]", *BAD]), max_size=12))
def test_what_is_wrong_with_one_vector_leaves_the_others_alone(texts: list[str]) -> None:
    rows = read_rows(2, [msgspec.Raw(text.encode()) for text in texts])
    alone = [read_rows(2, [msgspec.Raw(text.encode())])[0] for text in texts]
    assert rows == alone
    assert [row is None for row in rows] == [text in [*BAD, "[1]"] for text in texts]


@given(st.lists(st.sampled_from(["[0.5,1]", "[3,4]", "[1]", *BAD]), max_size=4))
def test_all_are_read_as_one_block_where_each_is_good(texts: list[str]) -> None:
    raw = [text.encode() for text in texts]
    rows = read_rows(2, raw)
    good = [row for row in rows if row is not None]
    assert read_unnamed(2, raw) == (b"".join(good) if len(good) == len(rows) else None)


def test_integers_of_more_than_64_bits_take_the_other_way() -> None:
    raw = [msgspec.Raw(b"[1,99999999999999999999]")]
    assert read_unnamed(2, raw) is None
    columns = to_columns(CollectionConfig({UNNAMED: VectorParams(2, Distance.DOT)}), raw)
    assert columns[UNNAMED].data == struct.pack("<2f", 1, 1e20)


@given(st.lists(st.lists(numbers, max_size=2), max_size=5), st.integers(1, 2))
def test_vectors_of_another_size_get_no_answer(vectors: list[list[float]], size: int) -> None:
    raw = [msgspec.Raw(msgspec.json.encode(vector)) for vector in vectors]
    if any(len(vector) != size for vector in vectors):
        assert read_unnamed(size, raw) is None


def test_named_vectors_keep_who_has_them() -> None:
    config = CollectionConfig({"a": VectorParams(1, Distance.DOT), "b": VectorParams(2, Distance.DOT)})
    parts: list[Any] = [{"a": [1]}, {"b": [2, 3], "a": [4]}]
    columns = to_columns(config, [msgspec.Raw(msgspec.json.encode(part)) for part in parts])
    assert columns["a"].rows is None
    assert columns["b"].rows == [1]
    assert columns["b"].data == struct.pack("<2f", 2, 3)
