"""Collection configuration: vectors, HNSW, optimizer settings; defaults, limits and patches."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from schemas.errors import BadInputError, UnprocessableError
from schemas.nesting import check_depth
from schemas.payload_index import PayloadIndex, PayloadIndexes
from schemas.payload_index_changes import change_indexes, check_indexes
from schemas.vectors.params import (
    AnyVectorParams,
    Datatype,
    Distance,
    HnswConfigDiff,
    SparseVectorParams,
    VectorParams,
)

__all__ = ["Datatype", "Distance", "HnswConfigDiff", "VectorParams"]

MAX_VECTOR_SIZE = 65536
MAX_VECTOR_NAMES = 64
MAX_POSITIONS = 256
"""How many vector names a collection can have had, deleted ones included: a stored point has a byte for each."""
MAX_NAME_LENGTH = 255
MAX_SHARDS = 256
MAX_CONFIG_BYTES = 512 << 10
"""As a record holds it. Markers carry it to the points topic, which may take no more than Kafka's default, a MiB."""
UNNAMED = ""
"""The name of the single unnamed vector."""


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    pass


class HnswConfig(_Part, frozen=True):
    """Graph parameters; ``full_scan_threshold`` in kilobytes of float32 vectors, m = 0 means no graph."""

    m: int = 16
    ef_construct: int = 100
    full_scan_threshold: int = 10000
    max_indexing_threads: int = 0
    on_disk: bool | None = None
    payload_m: int | None = None


class OptimizersConfig(_Part, frozen=True):
    """When segments are merged, vacuumed and given a graph. Sizes in kilobytes of float32 vectors."""

    deleted_threshold: float = 0.2
    vacuum_min_vector_number: int = 1000
    default_segment_number: int = 0
    max_segment_size: int | None = None
    memmap_threshold: int | None = None
    indexing_threshold: int = 10000
    flush_interval_sec: int = 5
    max_optimization_threads: int | None = None


class OptimizersConfigDiff(_Part, frozen=True):
    """A partial OptimizersConfig; None leaves a value as it is."""

    deleted_threshold: float | None = None
    vacuum_min_vector_number: int | None = None
    default_segment_number: int | None = None
    max_segment_size: int | None = None
    memmap_threshold: int | None = None
    indexing_threshold: int | None = None
    flush_interval_sec: int | None = None
    max_optimization_threads: int | str | None = None


class VectorParamsDiff(_Part, frozen=True):
    """What may change about a vector name."""

    hnsw_config: HnswConfigDiff | None = None
    quantization_config: dict[str, Any] | None = None
    on_disk: bool | None = None


class WalConfig(_Part, frozen=True):
    """Kept for clients that set it; the log decides its own segment sizes."""

    wal_capacity_mb: int = 32
    wal_segments_ahead: int = 0


class CollectionConfig(_Part, frozen=True):
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

    @property
    def names(self) -> Mapping[str, AnyVectorParams]:
        """The parameters of all vector names, in the order of their places."""
        return {**self.vectors, **self.sparse_vectors} if self.sparse_vectors else self.vectors

    @property
    def positions(self) -> dict[str, int]:
        """The position of every vector name in stored points, in the order of ``names``."""
        return {name: at if p.position is None else p.position for at, (name, p) in enumerate(self.names.items())}

    def hnsw_for(self, name: str) -> HnswConfig:
        """The graph parameters of one vector name: the collection's, overridden by the name's own."""
        return merge(self.hnsw, self.vectors[name].hnsw_config)


class CollectionParamsDiff(_Part, frozen=True):
    """Base parameters that may change."""

    replication_factor: int | None = None
    write_consistency_factor: int | None = None
    on_disk_payload: bool | None = None


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


PartT = TypeVar("PartT", bound=msgspec.Struct)


def merge(base: PartT, diff: msgspec.Struct | None) -> PartT:
    """``base`` with every value of ``diff`` that is not None."""
    if diff is None:
        return base
    values = {f: v for f in diff.__struct_fields__ if (v := getattr(diff, f)) is not None}
    return msgspec.structs.replace(base, **values)


def apply_patch(config: CollectionConfig, patch: CollectionPatch) -> CollectionConfig:
    """The configuration after ``patch``.

    Raises BadInputError for an unknown vector name, UnprocessableError for a bad value.
    """
    vectors = dict(config.vectors)
    for name, diff in (patch.vectors or {}).items():
        if name not in vectors:
            raise BadInputError(f"Wrong input: Not existing vector name error: {name}")
        params = vectors[name]
        own = HnswConfigDiff() if params.hnsw_config is None else params.hnsw_config
        hnsw = params.hnsw_config if diff.hnsw_config is None else merge(own, diff.hnsw_config)
        vectors[name] = merge(params, msgspec.structs.replace(diff, hnsw_config=hnsw))
    quantization = config.quantization
    if isinstance(patch.quantization_config, str):
        quantization = None
    elif patch.quantization_config is not None:
        quantization = patch.quantization_config
    params_diff = patch.params or CollectionParamsDiff()
    changed = merge(config, params_diff)
    changed = msgspec.structs.replace(
        changed,
        vectors=vectors,
        hnsw=merge(config.hnsw, patch.hnsw_config),
        optimizers=merge_optimizers(config.optimizers, patch.optimizers_config),
        quantization=quantization,
        metadata=_merge_metadata(config.metadata, patch.metadata),
        payload_indexes=change_indexes(config.payload_indexes, patch.payload_indexes),
    )
    check_config(changed)
    return changed


def merge_optimizers(base: OptimizersConfig, diff: OptimizersConfigDiff | None) -> OptimizersConfig:
    """``merge``, knowing that ``max_optimization_threads`` may be the word "auto", which is None here."""
    if diff is None:
        return base
    if isinstance(diff.max_optimization_threads, str):
        base = msgspec.structs.replace(base, max_optimization_threads=None)
        diff = msgspec.structs.replace(diff, max_optimization_threads=None)
    return merge(base, diff)


def _merge_metadata(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any] | None:
    if new is None:
        return old
    merged = {**(old or {}), **new}
    return {k: v for k, v in merged.items() if v is not None}


def check_config(config: CollectionConfig) -> None:
    """Raise UnprocessableError naming the field for a value outside its limits.

    Raises BadInputError for a number that no record can hold, and for what is nested too deeply.
    """
    _check_range("shard_number", config.shard_number, 1, MAX_SHARDS)
    _check_range("replication_factor", config.replication_factor, 1, None)
    _check_range("write_consistency_factor", config.write_consistency_factor, 1, None)
    _check_names(config)
    for name, params in config.vectors.items():
        where = f"vectors.{name}" if name else "vectors"
        _check_range(f"{where}.size", params.size, 1, MAX_VECTOR_SIZE)
        if params.hnsw_config is not None:
            _check_hnsw(f"{where}.hnsw_config", params.hnsw_config)
    check_indexes(config.payload_indexes)
    _check_hnsw("hnsw_config", config.hnsw)
    optimizers = config.optimizers
    if not 0.0 <= optimizers.deleted_threshold <= 1.0:
        raise UnprocessableError("optimizers_config.deleted_threshold: must be between 0 and 1")
    _check_range("optimizers_config.vacuum_min_vector_number", optimizers.vacuum_min_vector_number, 100, None)
    _check_range("optimizers_config.default_segment_number", optimizers.default_segment_number, 0, None)
    _check_range("optimizers_config.max_segment_size", optimizers.max_segment_size, 1, None)
    _check_range("optimizers_config.memmap_threshold", optimizers.memmap_threshold, 0, None)
    _check_range("optimizers_config.indexing_threshold", optimizers.indexing_threshold, 0, None)
    _check_range("optimizers_config.flush_interval_sec", optimizers.flush_interval_sec, 0, None)
    _check_range("wal_config.wal_capacity_mb", config.wal.wal_capacity_mb, 1, None)
    _check_range("wal_config.wal_segments_ahead", config.wal.wal_segments_ahead, 0, None)
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


def _check_hnsw(where: str, hnsw: HnswConfig | HnswConfigDiff) -> None:
    _check_range(f"{where}.m", hnsw.m, 0, 2048)
    _check_range(f"{where}.ef_construct", hnsw.ef_construct, 4, 65536)
    _check_range(f"{where}.full_scan_threshold", hnsw.full_scan_threshold, 0, None)
    _check_range(f"{where}.max_indexing_threads", hnsw.max_indexing_threads, 0, 1024)


def _check_range(field: str, value: int | None, low: int, high: int | None) -> None:
    if value is None or (value >= low and (high is None or value <= high)):
        return
    limits = f"at least {low}" if high is None else f"between {low} and {high}"
    raise UnprocessableError(f"{field}: value {value} is invalid, must be {limits}")


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
