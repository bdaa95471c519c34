"""Digests: one number for all points of a shard, whatever order they are looked at in.

The sum, modulo 2**128, of blake2b-128 over each point's id and stored bytes (version, vectors, payload). Equal
states have equal digests; a sum, unlike xor, notices a point counted twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from projector.fold.effects import StateReader
from projector.frames import ShardId
from schemas.ids import PointId, to_key

_MASK = (1 << 128) - 1


@dataclass(frozen=True, slots=True)
class ShardDigest:
    """``points`` is how many there are, ``version`` the shard's last, ``value`` the digest as 32 hex digits."""

    name: str
    shard: int
    points: int
    version: int
    value: str


def digest_points(points: Iterable[tuple[PointId, bytes]]) -> tuple[int, str]:
    """How many points, and their digest."""
    total = count = 0
    for point_id, value in points:
        key = to_key(point_id)
        total += int.from_bytes(blake2b(bytes([len(key)]) + key + value, digest_size=16).digest(), "big")
        count += 1
    return count, f"{total & _MASK:032x}"


def digest_shard(reader: StateReader, shard: ShardId) -> ShardDigest:
    """The digest of one shard. Raises KeyError when the shard isn't there."""
    meta = reader.shard(shard)
    if meta is None:
        raise KeyError(shard)
    count, value = digest_points(reader.scan(shard, None))
    return ShardDigest(meta.name, shard.shard, count, meta.version, value)
