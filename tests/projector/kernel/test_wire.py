"""What the parts of a message take is counted as far as a parser reads them, whatever the bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.grpc.numbers import write_varint
from projector.kernel import WireSchema

LEAF, LIST, NUMBERS = (None, 0, 0), (0, 100, 0), (None, 5, 10)
TREE = WireSchema([{1: LEAF, 2: LIST, 3: NUMBERS}], 1000)
"""Of a message that may have any number of the same, and packed numbers."""


def within(data: bytes) -> bytes:
    """The field of a message that has these bytes."""
    return b"\x12" + write_varint(len(data)) + data


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"", 0),
        (b"\x08\x96\x01", 0),
        (b"\x12\x00" * 3, 300),
        (within(within(b"\x08\x01") + within(b"")), 300),
        (b"\x1a\x03\x01\x96\x01", 25),
        (b"\x18\x01" * 2, 10),
        (b"\x2a\x02\x12\x00", 1000),
        (b"\x2b\x12\x00\x2c", 3000),
        (b"\x2b\x12\x01\xff\x2c" + b"\x12\x00", 3100),
        (b"\x2b\x33\x34\x2c" + b"\x12\x00", 4100),
        (b"\x2b\x12\x00\x34" + b"\x12\x00", 3000),
        (b"\x2c" + b"\x12\x00", 1000),
        (b"\x0d\x00\x00\x00\x00\x09" + bytes(8) + b"\x12\x00", 100),
        (b"\x12\x00\x12\x05", 200),
        (b"\x12\x00\xff", 100),
        (b"\x12\x00\x0f\x12\x00", 100),
    ],
    ids=[
        "empty",
        "a number",
        "three",
        "nested",
        "packed numbers",
        "numbers one by one",
        "unknown",
        "a group",
        "a group of what would be no message",
        "a group in a group",
        "a group that ends as another",
        "an end without a group",
        "fixed",
        "cut off",
        "half a tag",
        "no type",
    ],
)
def test_parts_are_counted_as_far_as_a_parser_reads(data: bytes, size: int) -> None:
    assert TREE.parsed_size(data, 0, 1 << 40) == len(data) + size


def test_what_nests_deeper_than_parsers_read_is_not_counted() -> None:
    sizes: list[int] = []
    for levels in (100, 200, 300):
        data = b""
        for _ in range(levels):
            data = within(data)
        sizes.append(TREE.parsed_size(data, 0, 1 << 40) - len(data))
    assert sizes[0] == 100 * 100
    assert sizes[1] == sizes[2] < 200 * 100


@given(st.binary(max_size=200), st.integers(0, 2000))
def test_any_bytes_have_a_size(data: bytes, limit: int) -> None:
    size = TREE.parsed_size(data, 0, 1 << 40)
    assert len(data) <= size
    bounded = TREE.parsed_size(data, 0, limit)
    assert bounded == size if size <= limit else bounded > limit


def test_a_schema_is_whole() -> None:
    with pytest.raises(ValueError, match="one of the messages"):
        WireSchema([{1: (1, 0, 0)}], 0)
    with pytest.raises(ValueError, match="no such message"):
        TREE.parsed_size(b"", 1, 0)
