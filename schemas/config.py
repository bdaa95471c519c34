"""Collection configuration: vectors, HNSW, optimizer settings; defaults, limits and patches."""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from schemas.errors import BadInputError, UnprocessableError
from schemas.index_config import (
    HnswConfig,
    OptimizersConfig,
    OptimizersConfigDiff,
    WalConfig,
    check_hnsw,
    check_optimizers,
    check_range,
    check_wal,
    merge,
    merge_optimizers,
)
from schemas.nesting import check_depth
from schemas.payload_index import PayloadIndex, PayloadIndexes
from schemas.payload_index_changes import change_indexes, check_indexes
from schemas.quantization import Quantization, read_quantization
from schemas.strict_mode import StrictModeConfig, check_strict_mode
from schemas.vectors.params import (
    AnyVectorParams,
    Datatype,
    Distance,
    HnswConfigDiff,
    Memory,
    Modifier,
    SparseIndexConfig,
    SparseVectorParams,
    VectorParams,
)
from schemas.vectors.registry import AnyKind, kind_of

__all__ = [
    "Datatype",
    "Distance",
    "HnswConfig",
    "HnswConfigDiff",
    "OptimizersConfig",
    "OptimizersConfigDiff",
    "VectorParams",
    "WalConfig",
    "merge",
    "merge_optimizers",
]

MAX_VECTOR_SIZE = 65536
MAX_VECTOR_NAMES = 64
MAX_POSITIONS = 256
"""How many vector names a collection can have had, deleted ones included: a stored point has a byte for each."""
MAX_NAME_LENGTH = 255
MAX_SHARDS = 256
MAX_CONFIG_BYTES = 512 << 10
"""As a record holds it. Markers carry it to the points topic, which may take no more than Kafka's default, a MiB."""
ParamsT = TypeVar("ParamsT")
UNNAMED = ""
"""The name of the single unnamed vector."""


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    pass


class VectorParamsDiff(_Part, frozen=True):
    """What may change about a vector name. A text as ``quantization_config`` removes it."""

    hnsw_config: HnswConfigDiff | None = None
    quantization_config: dict[str, Any] | str | None = None
    on_disk: bool | None = None
    memory: Memory | None = None


class SparseVectorParamsDiff(_Part, frozen=True):
    """What may change about a name of sparse vectors."""

    index: SparseIndexConfig | None = None
    modifier: Modifier | None = None


class PayloadStorage(_Part, frozen=True):
    """Where payloads are kept."""

    memory: Memory | None = None


class CollectionConfig(_Part, frozen=True, dict=True):
    """A collection's whole configuration.

    Every vector name has a position, which stored points know it by: the one in its parameters, else its place, those
    of ``vectors`` coming first. ``next_position`` is that of the name added next; 0: as many as there are names.
    """

    vectors: dict[str, VectorParams]
    shard_number: int = 1
    on_disk_payload: bool = True
    replication_factor: int = 1
    write_consistency_factor: int = 1
    hnsw: HnswConfig = HnswConfig()
    optimizers: OptimizersConfig = OptimizersConfig()
    wal: WalConfig = WalConfig()
    quantization: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    payload_indexes: PayloadIndexes = {}
    sparse_vectors: dict[str, SparseVectorParams] = {}
    next_position: int = 0
    named: bool = False
    """Whether the unnamed vector was given in a map, and is answered in one."""
    payload: PayloadStorage | None = None
    sharding_method: str | None = None
    strict_mode: StrictModeConfig | None = None
    read_fan_out_factor: int | None = None
    read_fan_out_delay_ms: int | None = None
    fixed_segment_size: bool = False
    """Whether ``optimizers.max_segment_size`` never changes, as where Milvus's ``index_file_size`` gave it."""

    @cached_property
    def names(self) -> Mapping[str, AnyVectorParams]:
        """The parameters of all vector names, in the order of their places."""
        return {**self.vectors, **self.sparse_vectors} if self.sparse_vectors else self.vectors

    @cached_property
    def positions(self) -> dict[str, int]:
        """The position of every vector name in stored points, in the order of ``names``."""
        return {name: at if p.position is None else p.position for at, (name, p) in enumerate(self.names.items())}

    @cached_property
    def strict(self) -> StrictModeConfig | None:
        """The limits of strict mode that hold, None while none do."""
        return self.strict_mode if self.strict_mode is not None and self.strict_mode.enabled else None

    @cached_property
    def kinds(self) -> Mapping[str, AnyKind]:
        """The kind of every vector name."""
        return {name: kind_of(params) for name, params in self.names.items()}

    def hnsw_for(self, name: str) -> HnswConfig:
        """The graph parameters of one vector name: the collection's, overridden by the name's own."""
        return merge(self.hnsw, self.vectors[name].hnsw_config)

    def quantization_for(self, name: str) -> Quantization | None:
        """How one name's vectors are quantized: as its own settings say, else the collection's. None: they are not."""
        return read_quantization(self.vectors[name].quantization_config or self.quantization)


class CollectionParamsDiff(_Part, frozen=True):
    """Base parameters that may change."""

    replication_factor: int | None = None
    write_consistency_factor: int | None = None
    on_disk_payload: bool | None = None
    read_fan_out_factor: int | None = None
    read_fan_out_delay_ms: int | None = None
    payload: PayloadStorage | None = None


class CollectionPatch(_Part, frozen=True):
    """A change to a collection's parameters, as PATCH carries it; metadata keys set to null are removed.

    ``payload_indexes``: those to declare, or to declare anew, and None for those to remove.
    """

    vectors: dict[str, VectorParamsDiff] | None = None
    optimizers_config: OptimizersConfigDiff | None = None
    hnsw_config: HnswConfigDiff | None = None
    params: CollectionParamsDiff | None = None
    quantization_config: dict[str, Any] | str | None = None
    metadata: dict[str, Any] | None = None
    payload_indexes: dict[str, PayloadIndex | None] | None = None
    sparse_vectors: dict[str, SparseVectorParamsDiff] | None = None
    strict_mode: StrictModeConfig | None = None


def apply_patch(config: CollectionConfig, patch: CollectionPatch) -> CollectionConfig:
    """The configuration after ``patch``.

    Raises BadInputError for an unknown vector name, UnprocessableError for a bad value.
    """
    asked = patch.optimizers_config
    if config.fixed_segment_size and asked is not None and asked.max_segment_size is not None:
        raise BadInputError(
            "Wrong input: optimizers_config.max_segment_size is the collection's index_file_size, which can't be "
            "changed after a collection was created"
        )
    quantization = config.quantization
    if isinstance(patch.quantization_config, str):
        quantization = None
    elif patch.quantization_config is not None:
        quantization = patch.quantization_config
    params_diff = patch.params or CollectionParamsDiff()
    changed = merge(config, params_diff)
    changed = msgspec.structs.replace(
        changed,
        vectors=_patch_vectors(config.vectors, patch.vectors or {}),
        sparse_vectors=_patch_sparse(config.sparse_vectors, patch.sparse_vectors or {}),
        strict_mode=_merge_strict_mode(config.strict_mode, patch.strict_mode),
        hnsw=merge(config.hnsw, patch.hnsw_config),
        optimizers=merge_optimizers(config.optimizers, patch.optimizers_config),
        quantization=quantization,
        metadata=_merge_metadata(config.metadata, patch.metadata),
        payload_indexes=change_indexes(config.payload_indexes, patch.payload_indexes),
    )
    check_config(changed)
    return changed


def _patch_vectors(vectors: dict[str, VectorParams], patch: Mapping[str, VectorParamsDiff]) -> dict[str, VectorParams]:
    changed = dict(vectors)
    for name, diff in patch.items():
        params = _known(changed, name)
        own = params.hnsw_config
        if diff.hnsw_config is not None:
            own = merge(own or HnswConfigDiff(), diff.hnsw_config)
        quantization = params.quantization_config
        if diff.quantization_config is not None:
            quantization = None if isinstance(diff.quantization_config, str) else diff.quantization_config
        params = msgspec.structs.replace(params, hnsw_config=own, quantization_config=quantization)
        rest = msgspec.structs.replace(diff, hnsw_config=None, quantization_config=None)
        changed[name] = merge(params, rest)
    return changed


def _patch_sparse(
    vectors: dict[str, SparseVectorParams], patch: Mapping[str, SparseVectorParamsDiff]
) -> dict[str, SparseVectorParams]:
    changed = dict(vectors)
    for name, diff in patch.items():
        params = _known(changed, name)
        index = merge(params.index or SparseIndexConfig(), diff.index) if diff.index is not None else params.index
        changed[name] = msgspec.structs.replace(params, index=index, modifier=diff.modifier or params.modifier)
    return changed


def _known(vectors: Mapping[str, ParamsT], name: str) -> ParamsT:
    if name not in vectors:
        raise BadInputError(f"Wrong input: Not existing vector name error: {name}")
    return vectors[name]


def _merge_strict_mode(old: StrictModeConfig | None, new: StrictModeConfig | None) -> StrictModeConfig | None:
    return old if new is None else merge(old or StrictModeConfig(), new)


def _merge_metadata(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any] | None:
    if new is None:
        return old
    merged = {**(old or {}), **new}
    return {k: v for k, v in merged.items() if v is not None}


def check_config(config: CollectionConfig) -> None:
    """Raise UnprocessableError naming the field for a value outside its limits.

    Raises BadInputError for a number that no record can hold, and for what is nested too deeply.
    """
    check_range("shard_number", config.shard_number, 1, MAX_SHARDS)
    check_range("replication_factor", config.replication_factor, 1, None)
    check_range("write_consistency_factor", config.write_consistency_factor, 1, None)
    _check_names(config)
    for name, params in config.vectors.items():
        where = f"vectors.{name}" if name else "vectors"
        check_range(f"{where}.size", params.size, 1, MAX_VECTOR_SIZE)
        if params.hnsw_config is not None:
            check_hnsw(f"{where}.hnsw_config", params.hnsw_config)
        check_memory(f"{where}.memory", params.memory, "dense vector storage")
    check_indexes(config.payload_indexes)
    check_hnsw("hnsw_config", config.hnsw)
    check_optimizers(config.optimizers)
    check_wal(config.wal)
    check_memory("payload.memory", config.payload and config.payload.memory, "payload storage")
    if config.strict_mode is not None:
        check_strict_mode(config.strict_mode)
    _check_nesting(config)
    _check_size(config)


def _check_names(config: CollectionConfig) -> None:
    count = len(config.vectors) + len(config.sparse_vectors)
    if count > MAX_VECTOR_NAMES:
        raise UnprocessableError(f"vectors: at most {MAX_VECTOR_NAMES} names, not {count}")
    for name in (*config.vectors, *config.sparse_vectors):
        if len(name.encode()) > MAX_NAME_LENGTH:
            raise UnprocessableError(f"vectors.{name}: a vector name has at most {MAX_NAME_LENGTH} bytes")
    if UNNAMED in config.sparse_vectors:
        raise BadInputError("Wrong input: Sparse vector name cannot be empty")
    for name in config.sparse_vectors:
        if name in config.vectors:
            raise BadInputError(
                f"Wrong input: Dense and sparse vector names must be unique - duplicate found with '{name}'"
            )
    positions = config.positions.values()
    if len(set(positions)) < count or not all(0 <= position < MAX_POSITIONS for position in positions):
        raise UnprocessableError(f"vectors: positions must be distinct, from 0 to {MAX_POSITIONS - 1}")
    if config.next_position and any(position >= config.next_position for position in positions):
        raise UnprocessableError("vectors: next_position must be above every position")


def _check_nesting(config: CollectionConfig) -> None:
    check_depth(config.metadata or {}, what="Wrong input: metadata")
    for settings in (config.quantization, *(params.quantization_config for params in config.vectors.values())):
        check_depth(settings or {}, what="Wrong input: quantization_config")


def _check_size(config: CollectionConfig) -> None:
    try:
        size = len(msgspec.msgpack.encode(config))
    except OverflowError as error:
        raise BadInputError("Wrong input: a number is out of the range of 64 bits") from error
    if size > MAX_CONFIG_BYTES:
        raise UnprocessableError(
            f"configuration: with its metadata it takes {size} bytes, at most {MAX_CONFIG_BYTES} bytes are allowed"
        )


def check_memory(field: str, memory: Memory | None, what: str) -> None:
    """Raise UnprocessableError where ``what`` can't be kept in memory alone."""
    if memory is Memory.PINNED:
        raise UnprocessableError(
            f"Validation error in JSON body: [{field}: `pinned` memory placement is not supported for {what}]"
        )


def check_name_length(name: str) -> None:
    """Raise UnprocessableError for a name that is empty, or longer than one of a collection or an alias can be."""
    if not name or len(name.encode()) > MAX_NAME_LENGTH:
        raise UnprocessableError(f"collection name: must have 1 to {MAX_NAME_LENGTH} bytes")


def check_collection_name(name: str) -> None:
    """Raise UnprocessableError for a name that is empty, too long or holds characters that break paths."""
    check_name_length(name)
    bad = [c for c in name if c in '<>:"/\\|?*' or ord(c) < 32 or ord(c) == 127]
    if bad or name in (".", ".."):
        shown = bad[0] if bad else name
        raise UnprocessableError(f"collection name: cannot contain {shown!r}")


def check_collection_count(name: str, names: Collection[str], most: int | None) -> None:
    """Raise BadInputError when there are ``most`` collections, of these names, before one more is created."""
    if most is not None and sum(not is_hidden(kept) for kept in names) >= most:
        raise BadInputError(
            f"Bad request: Can't create collection with name {name}. Max collections limit reached: {most}"
        )


CUSTOM_SHARDING = "custom"
"""The sharding method of collections whose shards belong to keys."""
_MARK = "*"
"""No collection's own name has this character: names with it are of what nobody may use by name."""


def staged_name(name: str) -> str:
    """The name under which a collection is kept that is staged for ``name``."""
    return _MARK + name


def shard_key_name(name: str, key: str | int) -> str:
    """The name under which the shards of a key are kept, of the collection that is kept under ``name``."""
    return f"{name}{_MARK}{msgspec.json.encode(key).decode()}"


def is_hidden(name: str) -> bool:
    """Whether nobody may use it: the name of a collection that is staged, or of a shard key."""
    return _MARK in name


def check_kept_name(name: str) -> None:
    """``check_collection_name``, of one that may be hidden."""
    check_collection_name(name.removeprefix(_MARK).partition(_MARK)[0])
