"""The frame codec."""

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from ingest.embedded.frames import (
    HEADER_BYTES,
    MAGIC,
    FrameHeader,
    NewRecord,
    UnknownFrameError,
    body_is_intact,
    decode_record,
    encode_frame,
    frame_size,
    parse_header,
)

SALT = 0x5EED

records = st.builds(
    NewRecord,
    st.integers(-(2**63), 2**63 - 1),
    st.none() | st.binary(max_size=100),
    st.none() | st.binary(max_size=1000),
    st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=50)), max_size=4).map(tuple),
)
offsets = st.integers(0, 2**64 - 1)
EXAMPLE = NewRecord(1_700_000_000_000, b"key", b"value", (("name", b"header"), ("", b"")))


def frame_of(record: NewRecord, offset: int = 7, group_index: int = 0, salt: int = SALT) -> bytes:
    return b"".join(encode_frame(record, offset, group_index, salt))


def header_of(data: bytes, at: int = 0) -> FrameHeader:
    header = parse_header(data, at, SALT)
    assert header is not None
    return header


@given(records, offsets, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=60))
def test_a_record_comes_back_as_it_was(
    record: NewRecord, offset: int, group_index: int, salt: int, before: bytes
) -> None:
    data = before + b"".join(encode_frame(record, offset, group_index, salt)) + b"after"
    at = len(before)
    header = parse_header(data, at, salt)
    assert header is not None
    assert header.size == frame_size(record) == len(data) - at - len(b"after")
    assert header.group_first == offset - group_index
    assert body_is_intact(header, data, at)
    read = decode_record(header, data, at, 3)
    assert (read.partition, read.offset) == (3, offset)
    assert (read.timestamp_ms, read.key, read.value, read.headers) == tuple(record)


@pytest.mark.parametrize("key", [None, b""])
@pytest.mark.parametrize("value", [None, b""])
def test_null_is_not_empty(key: bytes | None, value: bytes | None) -> None:
    data = frame_of(NewRecord(0, key, value, ()))
    read = decode_record(header_of(data), data, 0, 0)
    assert (read.key, read.value) == (key, value)


def test_every_flipped_bit_is_noticed() -> None:
    data = frame_of(EXAMPLE)
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        header = parse_header(bytes(flipped), 0, SALT)
        if bit < HEADER_BYTES * 8:
            assert header is None
        else:
            assert header is not None
            assert not body_is_intact(header, bytes(flipped), 0)


def test_a_frame_cut_anywhere_is_noticed() -> None:
    data = frame_of(EXAMPLE)
    for size in range(len(data)):
        header = parse_header(data[:size], 0, SALT)
        assert header is None or not body_is_intact(header, data[:size], 0)


def test_zeros_are_no_frame() -> None:
    assert parse_header(bytes(HEADER_BYTES), 0, 0) is None


def test_a_frame_of_another_file_is_no_frame_here() -> None:
    assert parse_header(frame_of(EXAMPLE, salt=1), 0, 2) is None


def test_the_magic_has_no_zero_byte() -> None:
    """A sector that begins with a frame is never all zeros; telling a torn write rests on it."""
    assert 0 not in MAGIC


@pytest.mark.parametrize("position", [8, 9])
def test_an_intact_frame_of_a_newer_release_is_told_apart_from_damage(position: int) -> None:
    data = bytearray(frame_of(EXAMPLE))
    data[position] = 200
    data[4:8] = crc32c(bytes(data[8:HEADER_BYTES]), SALT).to_bytes(4, "little")
    with pytest.raises(UnknownFrameError):
        parse_header(bytes(data), 0, SALT)
