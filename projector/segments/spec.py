"""What a build is asked for: sources, configuration, target."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.config import CollectionConfig


class SegmentPiece(msgspec.Struct, frozen=True):
    """A segment to take in: its folder, and which slots are dead, as ``pack_mask`` writes it; None: none is."""

    folder: str
    dead: bytes | None = None


class BuildSpec(msgspec.Struct, frozen=True):
    """One build. Ids are distinct over all sources, dead slots left out.

    ``target`` is the new segment's folder; the folder above it exists. ``graph``: whether to build graphs for the
    vector names that can have one. ``threads`` for graphs; 0: the configuration's, or one per core. ``keep``: the one
    segment that is named, no slot of which is left out, keeps its graphs and codes.
    """

    target: str
    config: CollectionConfig
    spills: list[str]
    segments: list[SegmentPiece]
    graph: bool = False
    threads: int = 0
    keep: bool = False


class BuildResult(msgspec.Struct, frozen=True):
    """What was built: slots, bytes on disk, and the seconds that graphs took."""

    slots: int
    bytes: int
    graph_seconds: float


def pack_mask(mask: NDArray[np.bool_]) -> bytes:
    """A mask, bool [n], as ceil(n / 8) bytes, the first slot in the lowest bit."""
    return np.packbits(mask, bitorder="little").tobytes()


def unpack_mask(packed: bytes, size: int) -> NDArray[np.bool_]:
    """The inverse of ``pack_mask``. Raises ValueError when there are not exactly enough bytes."""
    if len(packed) != (size + 7) // 8:
        raise ValueError(f"a mask of {size} bits has {(size + 7) // 8} bytes, not {len(packed)}")
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=size, bitorder="little").astype(np.bool_)
