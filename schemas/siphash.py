"""SipHash-2-4 with a zero key (Aumasson and Bernstein 2012), and the slices of the id space that it defines."""

from schemas.ids import UUID_BASE, PointId

_MASK = (1 << 64) - 1
_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
_COMPRESSION_ROUNDS = 2
_FINAL_ROUNDS = 4


def siphash(data: bytes) -> int:
    """The unsigned 64-bit hash of ``data``."""
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    v0, v1, v2, v3 = _START
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v0, v1, v2, v3 = _rounds(_COMPRESSION_ROUNDS, v0, v1, v2, v3 ^ word)
        v0 ^= word
    v0, v1, v2, v3 = _rounds(_FINAL_ROUNDS, v0, v1, v2 ^ 0xFF, v3)
    return v0 ^ v1 ^ v2 ^ v3


def _rounds(count: int, v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    for _ in range(count):
        v0 = (v0 + v1) & _MASK
        v2 = (v2 + v3) & _MASK
        v1 = _rotate(v1, 13) ^ v0
        v3 = _rotate(v3, 16) ^ v2
        v0 = (_rotate(v0, 32) + v3) & _MASK
        v2 = (v2 + v1) & _MASK
        v1 = _rotate(v1, 17) ^ v2
        v3 = _rotate(v3, 21) ^ v0
        v2 = _rotate(v2, 32)
    return v0, v1, v2, v3


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def slice_of(point_id: PointId, total: int) -> int:
    """Which of ``total`` slices an id falls into, in [0, total).

    The hash is over 8 little endian bytes for a number, over the 16 bytes of RFC 4122 for a UUID.
    """
    if point_id < UUID_BASE:
        return siphash(point_id.to_bytes(8, "little")) % total
    return siphash((point_id - UUID_BASE).to_bytes(16, "big")) % total
