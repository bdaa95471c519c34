"""What ``GET /collections/{name}`` answers."""

from typing import Annotated, Any, TypeVar

import msgspec

from schemas.config import UNNAMED, CollectionConfig, HnswConfig, PayloadStorage, VectorParams
from schemas.strict_mode import StrictModeConfig
from schemas.vectors.params import Memory, SparseVectorParams

ValueT = TypeVar("ValueT")

VectorsResult = Annotated[
    Any,
    msgspec.Meta(
        description="The parameters of the unnamed vector, or a map of those of named ones",
        extra_json_schema={"type": "object"},
    ),
]


class HnswConfigResult(msgspec.Struct):
    """Graph parameters; those without a default only where they were given."""

    m: int
    ef_construct: int
    full_scan_threshold: int
    max_indexing_threads: int
    on_disk: bool
    payload_m: int | msgspec.UnsetType = msgspec.UNSET
    memory: Memory | msgspec.UnsetType = msgspec.UNSET
    inline_storage: bool | msgspec.UnsetType = msgspec.UNSET


class OptimizersConfigResult(msgspec.Struct):
    """Optimizer settings, every one of them."""

    deleted_threshold: float
    vacuum_min_vector_number: int
    default_segment_number: int
    max_segment_size: int | None
    memmap_threshold: int | None
    indexing_threshold: int
    flush_interval_sec: int
    max_optimization_threads: int | None
    prevent_unoptimized: bool | None


class WalConfigResult(msgspec.Struct):
    """Log settings, kept as they were given."""

    wal_capacity_mb: int
    wal_segments_ahead: int
    wal_retain_closed: int


class CollectionParamsResult(msgspec.Struct):
    """Base parameters; those without a default only where they were given."""

    vectors: VectorsResult
    shard_number: int
    replication_factor: int
    write_consistency_factor: int
    on_disk_payload: bool
    sparse_vectors: dict[str, SparseVectorParams] | msgspec.UnsetType = msgspec.UNSET
    payload: PayloadStorage | msgspec.UnsetType = msgspec.UNSET
    sharding_method: str | msgspec.UnsetType = msgspec.UNSET
    read_fan_out_factor: int | msgspec.UnsetType = msgspec.UNSET
    read_fan_out_delay_ms: int | msgspec.UnsetType = msgspec.UNSET


class CollectionConfigResult(msgspec.Struct):
    """A collection's whole configuration."""

    params: CollectionParamsResult
    hnsw_config: HnswConfigResult
    optimizer_config: OptimizersConfigResult
    wal_config: WalConfigResult
    quantization_config: dict[str, Any] | None
    strict_mode_config: StrictModeConfig | msgspec.UnsetType = msgspec.UNSET
    metadata: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class OptimizerError(msgspec.Struct):
    """Why segments are not being optimised."""

    error: str


class UpdateQueue(msgspec.Struct):
    """What is accepted but not yet applied."""

    length: int


class CollectionInfo(msgspec.Struct):
    """A collection's state and configuration."""

    status: str
    optimizer_status: str | OptimizerError
    indexed_vectors_count: int
    points_count: int
    segments_count: int
    config: CollectionConfigResult
    payload_schema: dict[str, Any]
    update_queue: UpdateQueue


def render_config(config: CollectionConfig) -> CollectionConfigResult:
    """The configuration as it is answered, with defaults filled in."""
    return CollectionConfigResult(
        params=CollectionParamsResult(
            vectors=_render_vectors(config.vectors, config.named),
            shard_number=config.shard_number,
            replication_factor=config.replication_factor,
            write_consistency_factor=config.write_consistency_factor,
            on_disk_payload=config.on_disk_payload,
            sparse_vectors=_render_sparse(config.sparse_vectors),
            payload=_given(config.payload),
            sharding_method=_given(config.sharding_method),
            read_fan_out_factor=_given(config.read_fan_out_factor),
            read_fan_out_delay_ms=_given(config.read_fan_out_delay_ms),
        ),
        hnsw_config=_render_hnsw(config.hnsw),
        optimizer_config=msgspec.convert(config.optimizers, OptimizersConfigResult, from_attributes=True),
        wal_config=msgspec.convert(config.wal, WalConfigResult, from_attributes=True),
        quantization_config=config.quantization,
        strict_mode_config=_given(config.strict_mode),
        metadata=_given(config.metadata),
    )


def _given(value: ValueT | None) -> ValueT | msgspec.UnsetType:
    return msgspec.UNSET if value is None else value


def _render_hnsw(hnsw: HnswConfig) -> HnswConfigResult:
    return HnswConfigResult(
        m=hnsw.m,
        ef_construct=hnsw.ef_construct,
        full_scan_threshold=hnsw.full_scan_threshold,
        max_indexing_threads=hnsw.max_indexing_threads,
        on_disk=bool(hnsw.on_disk),
        payload_m=_given(hnsw.payload_m),
        memory=_given(hnsw.memory),
        inline_storage=_given(hnsw.inline_storage),
    )


def _render_vectors(vectors: dict[str, VectorParams], named: bool) -> dict[str, Any]:
    shown = {name: _render_vector(params) for name, params in vectors.items()}
    return shown[UNNAMED] if list(shown) == [UNNAMED] and not named else shown


def _render_vector(params: VectorParams) -> dict[str, Any]:
    shown = msgspec.to_builtins(msgspec.structs.replace(params, position=None))
    if params.multivector_config is not None:
        # The configuration leaves out what is the default; here it is told.
        shown["multivector_config"] = {"comparator": params.multivector_config.comparator}
    return shown


def _render_sparse(vectors: dict[str, SparseVectorParams]) -> dict[str, SparseVectorParams] | msgspec.UnsetType:
    shown = {name: msgspec.structs.replace(params, position=None) for name, params in vectors.items()}
    return shown or msgspec.UNSET
