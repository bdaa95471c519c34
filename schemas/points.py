"""The stored point: a point as the state, the feed and the tail hold it, one run of bytes.

- version: u64 little endian
- vectors: u8, how many; then each: u8 position of its name in the collection's config, u32 length in bytes, the bytes
  (float32 little endian, bit for bit as received)
- payload: the rest: a JSON object as UTF-8; empty when there is none
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

_HEAD = Struct("<QB")
_VECTOR = Struct("<BI")
VERSION_BYTES = 8
VECTOR_HEAD_BYTES = _VECTOR.size


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """``vectors`` maps a name's position in the config to its raw bytes; ``payload`` may be empty."""

    version: int
    vectors: dict[int, bytes]
    payload: bytes


def encode_point(version: int, vectors: Sequence[tuple[int, bytes]], payload: bytes) -> bytes:
    """Encode; ``vectors`` are (position, bytes) in ascending position, so equal points have equal bytes."""
    if len(vectors) == 1:
        position, data = vectors[0]
        return b"%b%b%b" % (begin_point(version, position, len(data)), data, payload)
    parts = [_HEAD.pack(version, len(vectors))]
    for position, data in vectors:
        parts.append(_VECTOR.pack(position, len(data)))
        parts.append(data)
    parts.append(payload)
    return b"".join(parts)


def begin_point(version: int, position: int, length: int) -> bytes:
    """What a stored point with one vector begins with; the vector's ``length`` bytes and the payload follow."""
    return _HEAD.pack(version, 1) + begin_vector(position, length)


def begin_vector(position: int, length: int) -> bytes:
    """What stands before the ``length`` bytes of a vector."""
    return _VECTOR.pack(position, length)


def decode_point(value: bytes) -> StoredPoint:
    """The inverse of ``encode_point``."""
    version, count = _HEAD.unpack_from(value)
    at = _HEAD.size
    vectors: dict[int, bytes] = {}
    for _ in range(count):
        position, length = _VECTOR.unpack_from(value, at)
        at += _VECTOR.size
        vectors[position] = value[at : at + length]
        at += length
    return StoredPoint(version, vectors, value[at:])


def point_version(value: bytes) -> int:
    """Only the version of a stored point."""
    return int.from_bytes(value[:VERSION_BYTES], "little")
