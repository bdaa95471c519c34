"""What a segment's directory says beside its sections."""

from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.vectors.params import Datatype, Distance, Memory

SEGMENT_FILE = "segment.flat"
DAMAGED_FILE = "damaged"
"""A mark: empty, and there when the segment was found damaged. Readers go on; a start rebuilds the shard."""
SEGMENT_KIND = "segment"
DENSE, SPARSE, MULTI = "dense", "sparse", "multi"
"""The kinds of vectors."""
CODES_VERSION = 1
"""That of what codes mean. Codes of a later version are not read: search is one of the vectors themselves."""
SEARCH_CODES_VERSION = 1
"""The same of search codes."""


class GraphMeta(msgspec.Struct, frozen=True):
    """A graph's file, its CRC-32C, and the parameters it was built with."""

    file: str
    length: int
    crc: int
    m: int
    ef_construct: int


class UnfitGraph(msgspec.Struct, frozen=True):
    """A graph that was built and left out: it didn't lead to its own rows. Its parameters, and what was found."""

    m: int
    ef_construct: int
    own: float
    far: float


class QuantizedMeta(msgspec.Struct, frozen=True):
    """How a name's vectors were quantized: ``settings`` as a configuration has them, without where codes are kept.

    ``memory``: that. ``on_disk``: whether the vectors themselves are to be read from disk when they are needed.
    """

    settings: dict[str, Any]
    memory: Memory | None = None
    on_disk: bool = False
    version: int = CODES_VERSION


class SearchCodesMeta(msgspec.Struct, frozen=True):
    """Search codes that a name's vectors have. ``walked``: whether walks by them lead as far as by the vectors."""

    walked: bool
    version: int = SEARCH_CODES_VERSION


class VectorMeta(msgspec.Struct, frozen=True):
    """One vector name's sections: those of its kind and, unless every slot has one, ``slots.<n>``.

    ``number`` is the name's position in stored points when the segment was built; ``dim`` 0 for a sparse one.
    Where it is quantized, ``quantizer.<n>`` and ``codes.<n>`` are there, too, else ``search_codes.<n>`` and
    ``search_code_scale.<n>`` where these are of use. Where rows repeat others,
    ``repeated.<n>``, ``repeat_ends.<n>`` and ``repeats.<n>`` go with its graph.
    """

    name: str
    number: int
    dim: int
    distance: Distance
    rows: int
    every_slot: bool
    graph: GraphMeta | None = None
    unfit: UnfitGraph | None = None
    """Why there is no graph though there was to be one: search is exact."""
    kind: str = DENSE
    datatype: Datatype = Datatype.FLOAT32
    quantized: QuantizedMeta | None = None
    search_codes: SearchCodesMeta | None = None


class SegmentMeta(msgspec.Struct, frozen=True):
    """How many numbers and UUIDs a segment has as ids, and its vector names.

    ``indexed``: whether it was built with graphs, for the names that could have one.
    """

    numbers: int
    uuids: int
    vectors: list[VectorMeta]
    indexed: bool = False


def unfit_reason(vectors: Iterable[VectorMeta]) -> str | None:
    """In words, why the first of the graphs that were left out was; None when none was."""
    for vector in vectors:
        if (unfit := vector.unfit) is not None:
            return (
                f"vectors {vector.name!r}: the graph of {vector.rows} vectors finds {unfit.own:.1%} of its own and "
                f"{unfit.far:.1%} of those far from the others, so it is left out and search is exact there"
            )
    return None
