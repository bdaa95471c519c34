"""Stored points: the same point is the same bytes, and they read back."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.points import StoredPoint, decode_point, encode_point, point_version

vectors = st.dictionaries(st.integers(0, 255), st.binary(max_size=16), max_size=4)
versions = st.integers(0, 2**64 - 1)


@given(versions, vectors, st.binary(max_size=20))
def test_reads_back(version: int, vectors: dict[int, bytes], payload: bytes) -> None:
    data = encode_point(version, sorted(vectors.items()), payload)
    assert decode_point(data) == StoredPoint(version, vectors, payload)
    assert point_version(data) == version


def test_byte_for_byte() -> None:
    no_vector = encode_point(1, [], b"{}")
    one = encode_point(258, [(3, b"\x01\x02\x03\x04")], b"")
    two = encode_point(1, [(0, b"ab"), (200, b"")], b'{"a":1}')
    assert no_vector == bytes.fromhex("0100000000000000 00") + b"{}"
    assert one == bytes.fromhex("0201000000000000 01 03 04000000 01020304")
    assert two == bytes.fromhex("0100000000000000 02 00 02000000") + b"ab" + bytes.fromhex("c8 00000000") + b'{"a":1}'
