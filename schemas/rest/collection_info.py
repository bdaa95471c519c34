"""What ``GET /collections/{name}`` answers."""

from typing import Annotated, Any

import msgspec

from schemas.config import UNNAMED, CollectionConfig, VectorParams
from schemas.vectors.params import SparseVectorParams

VectorsResult = Annotated[
    Any,
    msgspec.Meta(
        description="The parameters of the unnamed vector, or a map of those of named ones",
        extra_json_schema={"type": "object"},
    ),
]


class HnswConfigResult(msgspec.Struct):
    """Graph parameters, every one of them."""

    m: int
    ef_construct: int
    full_scan_threshold: int
    max_indexing_threads: int
    on_disk: bool | None
    payload_m: int | None


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


class WalConfigResult(msgspec.Struct):
    """Log settings, kept as they were given."""

    wal_capacity_mb: int
    wal_segments_ahead: int


class CollectionParamsResult(msgspec.Struct):
    """Base parameters."""

    vectors: VectorsResult
    shard_number: int
    replication_factor: int
    write_consistency_factor: int
    on_disk_payload: bool
    sparse_vectors: dict[str, SparseVectorParams] | msgspec.UnsetType = msgspec.UNSET


class CollectionConfigResult(msgspec.Struct):
    """A collection's whole configuration."""

    params: CollectionParamsResult
    hnsw_config: HnswConfigResult
    optimizer_config: OptimizersConfigResult
    wal_config: WalConfigResult
    quantization_config: dict[str, Any] | None
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
            vectors=_render_vectors(config.vectors),
            shard_number=config.shard_number,
            replication_factor=config.replication_factor,
            write_consistency_factor=config.write_consistency_factor,
            on_disk_payload=config.on_disk_payload,
            sparse_vectors=_render_sparse(config.sparse_vectors),
        ),
        hnsw_config=msgspec.convert(config.hnsw, HnswConfigResult, from_attributes=True),
        optimizer_config=msgspec.convert(config.optimizers, OptimizersConfigResult, from_attributes=True),
        wal_config=msgspec.convert(config.wal, WalConfigResult, from_attributes=True),
        quantization_config=config.quantization,
        metadata=msgspec.UNSET if config.metadata is None else config.metadata,
    )


def _render_vectors(vectors: dict[str, VectorParams]) -> VectorParams | dict[str, VectorParams]:
    shown = {name: msgspec.structs.replace(params, position=None) for name, params in vectors.items()}
    return shown[UNNAMED] if list(shown) == [UNNAMED] else shown


def _render_sparse(vectors: dict[str, SparseVectorParams]) -> dict[str, SparseVectorParams] | msgspec.UnsetType:
    shown = {name: msgspec.structs.replace(params, position=None) for name, params in vectors.items()}
    return shown or msgspec.UNSET
