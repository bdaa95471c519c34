"""What a segment's directory says beside its sections."""

import msgspec

from schemas.config import Distance

SEGMENT_FILE = "segment.flat"
DAMAGED_FILE = "damaged"
"""A mark: empty, and there when a build found the segment damaged. Readers go on; a start rebuilds the shard."""
SEGMENT_KIND = "segment"


class GraphMeta(msgspec.Struct, frozen=True):
    """A graph's file, its CRC-32C, and the parameters it was built with."""

    file: str
    length: int
    crc: int
    m: int
    ef_construct: int


class VectorMeta(msgspec.Struct, frozen=True):
    """One vector name's sections: ``vectors.<n>`` f32 [rows, dim] and, unless every slot has one, ``slots.<n>``."""

    name: str
    number: int
    dim: int
    distance: Distance
    rows: int
    every_slot: bool
    graph: GraphMeta | None = None


class SegmentMeta(msgspec.Struct, frozen=True):
    """How many numbers and UUIDs a segment has as ids, and its vector names.

    ``indexed``: whether it was built with graphs, for the names that could have one.
    """

    numbers: int
    uuids: int
    vectors: list[VectorMeta]
    indexed: bool = False
