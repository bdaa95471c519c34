"""What is set of a vector name: distances, datatypes, modifiers, comparators, and the parameters of sparse ones."""

from enum import StrEnum
from typing import Any

import msgspec


class Distance(StrEnum):
    """How two vectors are compared. Cosine and Dot: higher is nearer; Euclid and Manhattan: lower is."""

    COSINE = "Cosine"
    DOT = "Dot"
    EUCLID = "Euclid"
    MANHATTAN = "Manhattan"

    @property
    def higher_is_nearer(self) -> bool:
        """Whether a larger score means nearer."""
        return self in (Distance.COSINE, Distance.DOT)


class Datatype(StrEnum):
    """How a vector's values are stored."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    UINT8 = "uint8"


class Memory(StrEnum):
    """Where something is kept: on disk alone, in the page cache while there is room, or in memory."""

    COLD = "cold"
    CACHED = "cached"
    PINNED = "pinned"


def placed(memory: str | None, on_disk: bool | None) -> Memory | None:
    """Where something is to be kept; None where neither says. ``memory`` counts before ``on_disk``."""
    if memory is not None:
        return Memory(memory)
    return None if on_disk is None else Memory.COLD if on_disk else Memory.CACHED


class Comparator(StrEnum):
    """How two multivectors are compared."""

    MAX_SIM = "max_sim"


class Modifier(StrEnum):
    """What is done to a sparse query's values: nothing, or each weighed by how rare its index is."""

    NONE = "none"
    IDF = "idf"


class _Part(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class MultivectorConfig(_Part, frozen=True):
    """A name whose values are several vectors each."""

    comparator: Comparator = Comparator.MAX_SIM


class HnswConfigDiff(_Part, frozen=True):
    """A partial HnswConfig; None leaves a value as it is."""

    m: int | None = None
    ef_construct: int | None = None
    full_scan_threshold: int | None = None
    max_indexing_threads: int | None = None
    on_disk: bool | None = None
    payload_m: int | None = None
    memory: Memory | None = None
    inline_storage: bool | None = None


class VectorParams(_Part, frozen=True):
    """One name of dense vectors or multivectors: size, distance and own index settings.

    ``position``: that of the name in stored points; None: its place in the configuration.
    """

    size: int
    distance: Distance
    hnsw_config: HnswConfigDiff | None = None
    quantization_config: dict[str, Any] | None = None
    on_disk: bool | None = None
    datatype: Datatype | None = None
    multivector_config: MultivectorConfig | None = None
    memory: Memory | None = None
    position: int | None = None


class SparseIndexConfig(_Part, frozen=True):
    """An inverted index; ``full_scan_threshold`` in vectors. Values are kept as they came, whatever the datatype."""

    full_scan_threshold: int | None = None
    on_disk: bool | None = None
    datatype: Datatype | None = None
    memory: str | None = None


class SparseVectorParams(_Part, frozen=True):
    """One name of sparse vectors. ``position`` as in VectorParams: after all names of ``vectors``."""

    index: SparseIndexConfig | None = None
    modifier: Modifier | None = None
    position: int | None = None


AnyVectorParams = VectorParams | SparseVectorParams
