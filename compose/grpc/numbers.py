"""The numbers of vectors, as messages have them: float32, little endian, one after another in one field.

Asking a message for its bytes takes a sixth of what going through its numbers does, and setting it from bytes the same.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_TAG = b"\x0a"
"""Of the first field where it holds packed numbers."""


def floats_of(message: Any) -> bytes:
    """The numbers of a DenseVector, or of another message that has them in its first field and nothing else known."""
    data: bytes = message.SerializeToString()
    if not data.startswith(_TAG):
        return b""
    size, start = read_varint(data, 1)
    return data[start:] if len(data) == start + size else data[start : start + size]


def list_of(message: Any) -> list[float]:
    """The same as numbers."""
    numbers: list[float] = np.frombuffer(floats_of(message), "<f4").tolist()
    return numbers


def put_floats(numbers: NDArray[Any], message: Any) -> None:
    """Fill in a DenseVector; ``numbers`` [any] are of any type."""
    data = numbers.astype("<f4", copy=False).tobytes()
    message.MergeFromString(_TAG + write_varint(len(data)) + data)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The whole number that begins at ``at``, and where it ends. Raises IndexError where it doesn't."""
    value, shift = data[at], 7
    at += 1
    if value < 0x80:
        return value, at
    value &= 0x7F
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7


def write_varint(value: int) -> bytes:
    """The bytes of a whole number of at least 0."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
