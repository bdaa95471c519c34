"""The keys of a partition's state (docs/state-keys.md). Byte order is the order the fold scans in."""

from functools import lru_cache

from projector.frames import ShardId
from schemas.ids import PointId, to_key

APPLIED = b"m/applied"
"""8 bytes, big endian: the applied offset plus one."""
LAST_CHECKSUM = b"m/last"
"""crc32c, 4 bytes big endian, of the value of the record at the applied offset; absent when none."""
MARKER_SEQ = b"m/seq"
"""8 bytes, big endian: the highest marker sequence number applied."""
CURSOR = b"m/cursor"
"""Where an operation over many points goes on: crc32c of its record's value, 4 bytes big endian, then MessagePack.

Absent when none is under way."""

SHARD_PREFIX = b"s"
POINT_PREFIX = b"p"
CHANGED_PREFIX = b"c"
OUTCOME_PREFIX = b"o"
SEALED_PREFIX = b"w"
OUTBOX_PREFIX = b"e"
WATERMARK_PREFIX = b"f"

_SHARD_ID_BYTES = 12
_KEPT = 1024
"""Of so many shards what their keys begin with is kept: every batch needs it."""


def shard_bytes(shard: ShardId) -> bytes:
    """12 bytes: uid (8) and shard number (4), big endian."""
    return shard.uid.to_bytes(8, "big") + shard.shard.to_bytes(4, "big")


def shard_from_bytes(data: bytes) -> ShardId:
    """The inverse of ``shard_bytes``."""
    return ShardId(int.from_bytes(data[:8], "big"), int.from_bytes(data[8:12], "big"))


@lru_cache(maxsize=_KEPT)
def shard_key(shard: ShardId) -> bytes:
    """Where a shard's ShardMeta is."""
    return SHARD_PREFIX + shard_bytes(shard)


@lru_cache(maxsize=_KEPT)
def points_prefix(shard: ShardId) -> bytes:
    """Before every point of a shard."""
    return POINT_PREFIX + shard_bytes(shard)


def point_key(shard: ShardId, point_id: PointId) -> bytes:
    """Where a stored point is."""
    return points_prefix(shard) + to_key(point_id)


POINT_ID_AT = len(POINT_PREFIX) + _SHARD_ID_BYTES
"""Where the id begins in a point's key."""


@lru_cache(maxsize=_KEPT)
def changed_prefix(shard: ShardId) -> bytes:
    """Before a shard's lists of changed ids."""
    return CHANGED_PREFIX + shard_bytes(shard)


def changed_key(shard: ShardId, offset: int, chunk: int) -> bytes:
    """Where the ids changed by (a chunk of) the record at ``offset`` are."""
    return changed_prefix(shard) + offset.to_bytes(8, "big") + chunk.to_bytes(4, "big")


def changed_offset(key: bytes) -> int:
    """The offset in a ``changed_key``."""
    at = len(CHANGED_PREFIX) + _SHARD_ID_BYTES
    return int.from_bytes(key[at : at + 8], "big")


def outcome_key(offset: int) -> bytes:
    """Where the outcomes of a record with a rejected operation are."""
    return OUTCOME_PREFIX + offset.to_bytes(8, "big")


def outcome_offset(key: bytes) -> int:
    """The offset in an ``outcome_key``."""
    return int.from_bytes(key[len(OUTCOME_PREFIX) :], "big")


def sealed_key(shard: ShardId) -> bytes:
    """Where the offset is up to which a shard's changed ids were dropped, plus one: 8 bytes, big endian."""
    return SEALED_PREFIX + shard_bytes(shard)


def outbox_key(offset: int) -> bytes:
    """Where the part of a record is that the router has to forward."""
    return OUTBOX_PREFIX + offset.to_bytes(8, "big")


def outbox_offset(key: bytes) -> int:
    """The offset in an ``outbox_key``."""
    return int.from_bytes(key[len(OUTBOX_PREFIX) :], "big")


def watermark_key(partition: int) -> bytes:
    """Where the last origin in ``partition`` is of which a forwarded record was applied."""
    return WATERMARK_PREFIX + partition.to_bytes(4, "big")
