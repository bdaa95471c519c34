"""Single points in bulk: decoded as the fold needs them, many at once.

Only what is plainly right is packed. Everything else keeps its ``PointWrite``, which knows what to say.
"""

from collections.abc import Sequence

import msgspec

from ingest.foreign.writes import PointWrite
from ingest.vector_columns import read_rows
from schemas.errors import BadInputError
from schemas.ids import UUID_BASE, PointId, parse_point_id, shard_of
from schemas.validation import decode_payload

_EMPTY = (b"null", b"{}")


class PackedPoint(msgspec.Struct, frozen=True, gc=False):
    """A point of a collection that has the unnamed vector only: float32 as bytes, and the payload, empty for none."""

    write: PointWrite
    id: PointId
    vector: bytes
    payload: bytes

    def home(self, shards: int) -> int:
        """The shard of its id."""
        return shard_of(self.id, shards)


def pack_points(size: int, writes: Sequence[PointWrite]) -> list[PointWrite | PackedPoint]:
    """Each write packed for vectors of ``size`` values, or as it is where that doesn't work out."""
    rows = read_rows(size, [write.vector for write in writes])
    return [
        write if row is None or (packed := _pack(write, row)) is None else packed
        for write, row in zip(writes, rows, strict=True)
    ]


def _pack(write: PointWrite, row: bytes) -> PackedPoint | None:
    try:
        point_id = write.id
        known = PointId(point_id) if type(point_id) is int and 0 <= point_id < UUID_BASE else parse_point_id(point_id)
        payload = b"" if write.payload is msgspec.UNSET else bytes(write.payload)
        if payload in _EMPTY:
            payload = b""
        decode_payload(payload)
    except BadInputError:
        return None
    return PackedPoint(write, known, row, payload)
