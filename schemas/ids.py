"""Point ids: unsigned 64-bit numbers and UUIDs, as one ordered integer.

A number n is the integer n; a UUID u is 2**64 + u.int. So ids compare, sort and hash as plain integers,
numbers come before UUIDs as Qdrant scrolls, and the integer's bytes give state keys that sort the same.
"""

from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from struct import Struct, error
from typing import NewType, cast
from uuid import UUID

from schemas.errors import BadInputError

PointId = NewType("PointId", int)
WireId = int | bytes
"""An id in MessagePack: a number as uint, a UUID as 16 bytes."""

UUID_BASE = 1 << 64
_NUMBER_TAG = b"\x00"
_UUID_TAG = b"\x01"
_MASK = (1 << 64) - 1
_SHOWN = 64
_IN_JSON = {"None": "null", "True": "true", "False": "false"}


def parse_point_id(value: object) -> PointId:
    """Read an id as JSON gives it: an integer in [0, 2**64), or a UUID string (simple, hyphenated, braced or urn form).

    Raises BadInputError naming what is wrong.
    """
    if type(value) is int:
        if 0 <= value < UUID_BASE:
            return PointId(value)
        raise not_an_id(value)
    if isinstance(value, str):
        return _parse_uuid(value)
    raise not_an_id(value)


def _parse_uuid(text: str) -> PointId:
    braced = len(text) == 38 and text[0] == "{" and text[-1] == "}"
    digits = text[1:-1] if braced else text.removeprefix("urn:uuid:")
    hyphenated = len(digits) == 36 and all(digits[i] == "-" for i in (8, 13, 18, 23))
    plain = digits.replace("-", "") if hyphenated else digits
    if len(plain) == 32 and plain.isascii() and plain.isalnum():
        try:
            return PointId(UUID_BASE + int(plain, 16))
        except ValueError:
            pass
    raise not_an_id(text)


def not_an_id(value: object) -> BadInputError:
    """The error for a JSON value that is no point id."""
    if isinstance(value, int) and value.bit_length() > 2 * 64:
        shown = f"of {value.bit_length()} bits"
    else:
        shown = value if isinstance(value, str) else repr(value)
        shown = _IN_JSON.get(shown, shown)
        shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
    return BadInputError(
        f"value {shown} is not a valid point ID, valid values are either an unsigned integer or a UUID"
    )


def is_uuid(point_id: PointId) -> bool:
    """Whether the id is a UUID rather than a number."""
    return point_id >= UUID_BASE


def render_point_id(point_id: PointId) -> int | str:
    """The id as JSON shows it: a number, or the hyphenated UUID."""
    if point_id < UUID_BASE:
        return int(point_id)
    return str(UUID(int=point_id - UUID_BASE))


def to_wire(point_id: PointId) -> WireId:
    """The id as records and feed frames carry it."""
    if point_id < UUID_BASE:
        return int(point_id)
    return (point_id - UUID_BASE).to_bytes(16, "big")


def from_wire(value: WireId) -> PointId:
    """The inverse of ``to_wire``. Raises BadInputError for a negative number or bytes that are not 16 long."""
    if isinstance(value, bytes):
        if len(value) != 16:
            raise BadInputError(f"a UUID has 16 bytes, not {len(value)}")
        return PointId(UUID_BASE + int.from_bytes(value, "big"))
    if not 0 <= value < UUID_BASE:
        raise not_an_id(value)
    return PointId(value)


def ids_to_wire(point_ids: Iterable[PointId]) -> list[WireId]:
    """``to_wire`` for many."""
    ids = list(point_ids)
    return cast("list[WireId]", ids) if are_numbers(ids) else [to_wire(i) for i in ids]


def ids_from_wire(values: Sequence[WireId]) -> list[PointId]:
    """``from_wire`` for many; when all are numbers, the common case, they are checked together."""
    if len(values) == 1:
        return [from_wire(values[0])]
    if are_numbers(values):
        return list(cast("Sequence[PointId]", values))
    return [from_wire(v) for v in values]


def are_numbers(values: Iterable[object]) -> bool:
    """Whether all of ``values`` are integers in [0, 2**64), for which each one is looked at by C only."""
    try:
        array("Q", cast("Iterable[int]", values))
    except (TypeError, OverflowError):
        return False
    return True


def to_key(point_id: PointId) -> bytes:
    """9 bytes for a number, 17 for a UUID; byte order is id order."""
    if point_id < UUID_BASE:
        return _NUMBER_TAG + point_id.to_bytes(8, "big")
    return _UUID_TAG + (point_id - UUID_BASE).to_bytes(16, "big")


def to_keys(prefix: bytes, point_ids: Sequence[PointId]) -> list[bytes]:
    """``prefix`` and ``to_key`` for many; when all are numbers, the common case, none of them is looked at."""
    begin = prefix + _NUMBER_TAG
    try:
        return list(map(_number_keys(len(begin)).pack, repeat(begin), point_ids))
    except error:
        return [prefix + to_key(i) for i in point_ids]


@lru_cache(maxsize=16)
def _number_keys(begin: int) -> Struct:
    return Struct(f">{begin}sQ")


def from_key(key: bytes) -> PointId:
    """The inverse of ``to_key``."""
    number = int.from_bytes(key[1:], "big")
    return PointId(number if key[:1] == _NUMBER_TAG else UUID_BASE + number)


def shard_of(point_id: PointId, shards: int) -> int:
    """The shard, in [0, shards), at which a point is at home. Part of the log's meaning: never change it.

    splitmix64's finaliser (Steele, Lea and Flood 2014) over the number, or over the UUID's halves xored.
    """
    if shards == 1:
        return 0
    if point_id < UUID_BASE:
        z = int(point_id)
    else:
        u = point_id - UUID_BASE
        z = (u >> 64) ^ (u & _MASK)
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z ^ (z >> 31)) % shards
