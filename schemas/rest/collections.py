"""Requests that create and change collections, and the configuration they stand for."""

from typing import Annotated, Any, Literal

import msgspec

from schemas.config import (
    MAX_VECTOR_SIZE,
    UNNAMED,
    CollectionConfig,
    CollectionParamsDiff,
    CollectionPatch,
    Datatype,
    Distance,
    HnswConfig,
    HnswConfigDiff,
    OptimizersConfig,
    OptimizersConfigDiff,
    PayloadStorage,
    SparseVectorParamsDiff,
    VectorParams,
    VectorParamsDiff,
    WalConfig,
    check_config,
    check_memory,
    merge,
    merge_optimizers,
)
from schemas.errors import BadInputError, UnprocessableError
from schemas.index_config import check_range
from schemas.nesting import check_depth
from schemas.quantization import Quantization, quantization_settings
from schemas.rest.decode import convert_part
from schemas.rest.milvus import MilvusChange, MilvusParameters
from schemas.rest.strict_mode import StrictModeRequest, strict_mode
from schemas.struct_types import look_through
from schemas.vectors.params import (
    AnyVectorParams,
    Comparator,
    Memory,
    Modifier,
    MultivectorConfig,
    SparseIndexConfig,
    SparseVectorParams,
)

Usize = Annotated[int, msgspec.Meta(ge=0)]
U32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
VectorSize = Annotated[int, msgspec.Meta(ge=0, le=MAX_VECTOR_SIZE)]


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    pass


class HnswRequest(HnswConfigDiff, frozen=True, kw_only=True):
    """Graph parameters; null leaves the default, or what is there."""

    m: Usize | None = None
    ef_construct: Usize | None = None
    full_scan_threshold: Usize | None = None
    max_indexing_threads: Usize | None = None
    payload_m: Usize | None = None


class OptimizersRequest(OptimizersConfigDiff, frozen=True, kw_only=True):
    """Optimizer settings; null leaves the default, or what is there."""

    vacuum_min_vector_number: Usize | None = None
    default_segment_number: Usize | None = None
    max_segment_size: Usize | None = None
    memmap_threshold: Usize | None = None
    indexing_threshold: Usize | None = None
    flush_interval_sec: Usize | None = None
    max_optimization_threads: Usize | Literal["auto"] | None = None


class WalRequest(_Part, frozen=True, kw_only=True):
    """Log settings; null leaves the default."""

    wal_capacity_mb: Usize | None = None
    wal_segments_ahead: Usize | None = None
    wal_retain_closed: Usize | None = None


class MultivectorRequest(_Part, frozen=True, kw_only=True):
    """Several vectors a value."""

    comparator: Comparator


class SparseIndexRequest(_Part, frozen=True, kw_only=True):
    """An inverted index."""

    full_scan_threshold: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    on_disk: bool | None = None
    datatype: Literal["float32", "float16", "uint8", "turbo4"] | None = None
    memory: Literal["cold", "cached", "pinned"] | None = None


class SparseVectorRequest(_Part, frozen=True, kw_only=True):
    """One sparse vector name's parameters."""

    index: SparseIndexRequest | None = None
    modifier: Modifier | None = None

    def params(self, path: str) -> SparseVectorParams:
        """The parameters; ``path`` is where they stood. Raises UnprocessableError."""
        index = self.index
        if index is None:
            return SparseVectorParams(None, self.modifier)
        if index.datatype == "turbo4":
            raise UnprocessableError(
                f"Validation error in JSON body: [{path}.index.datatype: "
                "sparse vectors do not support the `turbo4` datatype]"
            )
        datatype = None if index.datatype is None else Datatype(index.datatype)
        found = SparseIndexConfig(index.full_scan_threshold, index.on_disk, datatype, index.memory)
        return SparseVectorParams(found, self.modifier)


class VectorRequest(_Part, frozen=True, kw_only=True):
    """One vector name's parameters."""

    size: VectorSize
    distance: Distance
    hnsw_config: HnswRequest | None = None
    quantization_config: Quantization | None = None
    on_disk: bool | None = None
    memory: Memory | None = None
    datatype: Literal["float32", "float16", "uint8", "turbo4"] | None = None
    multivector_config: MultivectorRequest | None = None

    def __post_init__(self) -> None:
        if self.size == 0:
            raise ValueError("invalid value: integer `0`, expected a nonzero size")


look_through(VectorRequest)


VectorsRequest = Annotated[
    dict[str, Any],
    msgspec.Meta(
        description="The parameters of a single unnamed vector, or a map of those of named ones",
        extra_json_schema={
            "anyOf": [
                {"$ref": "#/components/schemas/VectorRequest"},
                {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/VectorRequest"}},
            ]
        },
    ),
]


class CreateCollectionRequest(_Part, MilvusParameters, frozen=True, kw_only=True):
    """A new collection. ``vector_size`` and ``distance`` at the top are the form of Qdrant's first releases.

    ``dimension``, ``metric_type`` and ``index_file_size`` are Milvus's.
    """

    vectors: VectorsRequest | None = None
    shard_number: U32 | None = None
    sharding_method: Literal["auto", "custom"] | None = None
    replication_factor: U32 | None = None
    write_consistency_factor: U32 | None = None
    on_disk_payload: bool | None = None
    payload: PayloadStorage | None = None
    hnsw_config: HnswRequest | None = None
    wal_config: WalRequest | None = None
    optimizers_config: OptimizersRequest | None = None
    quantization_config: Quantization | None = None
    sparse_vectors: dict[str, SparseVectorRequest] | None = None
    strict_mode_config: StrictModeRequest | None = None
    metadata: dict[str, Any] | None = None
    name: str | None = None
    vector_size: VectorSize | None = None
    distance: Distance | None = None

    def config(self, collection: str) -> CollectionConfig:
        """The configuration of the collection named ``collection``.

        Raises BadInputError, or UnprocessableError for a value outside its limits.
        """
        if self.name is not None and self.name != collection:
            raise BadInputError(f"Wrong input: the body names collection `{self.name}`, the path `{collection}`")
        self.check_milvus(collection)
        config = CollectionConfig(
            vectors=self._vectors(),
            hnsw=merge(HnswConfig(), self.hnsw_config and _hnsw(self.hnsw_config)),
            optimizers=merge_optimizers(
                OptimizersConfig(), self.optimizers_config and _optimizers(self.optimizers_config)
            ),
            wal=_wal(self.wal_config),
            quantization=quantization_settings(self.quantization_config),
            metadata=self.metadata,
            sparse_vectors={n: v.params(f"sparse_vectors.{n}") for n, v in (self.sparse_vectors or {}).items()},
            named=UNNAMED in (self.vectors or {}),
            payload=self.payload,
            sharding_method=self.sharding_method,
            strict_mode=strict_mode(self.strict_mode_config),
        )
        config = merge(
            config,
            _Base(self.shard_number, self.replication_factor, self.write_consistency_factor, self.on_disk_payload),
        )
        if self.milvus:
            optimizers = self.milvus_optimizers(config.optimizers)
            config = msgspec.structs.replace(config, optimizers=optimizers, fixed_segment_size=True)
        check_config(config)
        return config

    def _vectors(self) -> dict[str, VectorParams]:
        if self.milvus:
            if self.vectors is not None or self.vector_size is not None or self.distance is not None:
                raise BadInputError("Wrong input: give `vectors`, or `dimension` and `metric_type`")
            return {UNNAMED: self.milvus_vector()}
        if self.vector_size is not None or self.distance is not None:
            if self.vectors is not None or self.vector_size is None or self.distance is None:
                raise BadInputError("Wrong input: give `vectors`, or `vector_size` and `distance` together")
            return {UNNAMED: VectorParams(self.vector_size, self.distance)}
        vectors = self.vectors or {}
        if "size" in vectors and not isinstance(vectors["size"], dict):
            return {UNNAMED: _vector(convert_part(vectors, VectorRequest, "vectors"), "vectors")}
        return {
            name: _vector(convert_part(value, VectorRequest, f"vectors.{name}"), f"vectors.{name}")
            for name, value in vectors.items()
        }


class _Base(msgspec.Struct, frozen=True):
    shard_number: int | None
    replication_factor: int | None
    write_consistency_factor: int | None
    on_disk_payload: bool | None


def _hnsw(request: HnswRequest, where: str = "hnsw_config") -> HnswConfigDiff:
    # What earlier releases took stays as it is where it was taken: this is not for the fold to check.
    check_range(f"{where}.full_scan_threshold", request.full_scan_threshold, 10, None)
    return msgspec.convert(request, HnswConfigDiff, from_attributes=True)


def _optimizers(request: OptimizersRequest) -> OptimizersConfigDiff:
    return msgspec.convert(request, OptimizersConfigDiff, from_attributes=True)


def _wal(request: WalRequest | None) -> WalConfig:
    if request is None:
        return WalConfig()
    return merge(WalConfig(), request)


def _vector(request: VectorRequest, path: str) -> VectorParams:
    if request.datatype == "turbo4":
        raise BadInputError(
            f"Wrong input: {path}.datatype: there is no storage of four bits, `turbo4`; "
            "vectors may have codes of so many beside them: quantization_config.turbo"
        )
    return VectorParams(
        size=request.size,
        distance=request.distance,
        hnsw_config=None if request.hnsw_config is None else _hnsw(request.hnsw_config, f"{path}.hnsw_config"),
        quantization_config=quantization_settings(request.quantization_config),
        on_disk=request.on_disk,
        memory=request.memory,
        datatype=None if request.datatype is None else Datatype(request.datatype),
        multivector_config=(
            None if request.multivector_config is None else MultivectorConfig(request.multivector_config.comparator)
        ),
    )


class DenseNameRequest(_Part, frozen=True, kw_only=True):
    """What never changes of a name of dense vectors or multivectors."""

    size: VectorSize
    distance: Distance
    datatype: Literal["float32", "float16", "uint8", "turbo4"] | None = None
    multivector_config: MultivectorRequest | None = None


class SparseNameRequest(_Part, frozen=True, kw_only=True):
    """What never changes of a name of sparse vectors."""

    modifier: Modifier | None = None
    datatype: Literal["float32", "float16", "uint8"] | None = None


class VectorNameRequest(_Part, frozen=True, kw_only=True):
    """A vector name to add: ``dense``, or ``sparse``."""

    dense: DenseNameRequest | None = None
    sparse: SparseNameRequest | None = None

    def __post_init__(self) -> None:
        if self.dense is None and self.sparse is None:
            raise ValueError("Expected one of `dense` and `sparse`")

    def params(self) -> AnyVectorParams:
        """The parameters; where both are given, the dense ones, as in Qdrant.

        Raises BadInputError, UnprocessableError for a size of 0.
        """
        if self.dense is not None:
            check_range("dense.size", self.dense.size, 1, MAX_VECTOR_SIZE)
            request = VectorRequest(
                size=self.dense.size,
                distance=self.dense.distance,
                datatype=self.dense.datatype,
                multivector_config=self.dense.multivector_config,
            )
            return _vector(request, "dense")
        sparse = self.sparse or SparseNameRequest()
        index = None if sparse.datatype is None else SparseIndexConfig(datatype=Datatype(sparse.datatype))
        return SparseVectorParams(index, sparse.modifier)


class VectorDiffRequest(_Part, frozen=True, kw_only=True):
    """What may change about a vector name."""

    hnsw_config: HnswRequest | None = None
    quantization_config: Quantization | Literal["Disabled"] | None = None
    on_disk: bool | None = None
    memory: Memory | None = None

    def diff(self) -> VectorParamsDiff:
        """The change. Raises UnprocessableError."""
        hnsw = None if self.hnsw_config is None else _hnsw(self.hnsw_config, "vectors.?.hnsw_config")
        check_memory("vectors.?.memory", self.memory, "dense vector storage")
        return VectorParamsDiff(hnsw, _quantization_diff(self.quantization_config), self.on_disk, self.memory)


class ParamsDiffRequest(_Part, frozen=True, kw_only=True):
    """Base parameters that may change."""

    replication_factor: U32 | None = None
    write_consistency_factor: U32 | None = None
    on_disk_payload: bool | None = None
    read_fan_out_factor: U32 | None = None
    read_fan_out_delay_ms: Usize | None = None
    payload: PayloadStorage | None = None

    def __post_init__(self) -> None:
        if 0 in (self.replication_factor, self.write_consistency_factor):
            raise ValueError("invalid value: integer `0`, expected a nonzero u32")


class SparseDiffRequest(_Part, frozen=True, kw_only=True):
    """What may change about a name of sparse vectors."""

    index: SparseIndexConfig | None = None
    modifier: Modifier | None = None

    def diff(self) -> SparseVectorParamsDiff:
        """The change."""
        return SparseVectorParamsDiff(self.index, self.modifier)


class UpdateCollectionRequest(_Part, MilvusChange, frozen=True, kw_only=True):
    """A change to a collection's parameters. A single unnamed vector has the name ""."""

    vectors: dict[str, VectorDiffRequest] | None = None
    optimizers_config: OptimizersRequest | None = None
    params: ParamsDiffRequest | None = None
    hnsw_config: HnswRequest | None = None
    quantization_config: Quantization | Literal["Disabled"] | None = None
    sparse_vectors: dict[str, SparseDiffRequest] | None = None
    strict_mode_config: StrictModeRequest | None = None
    metadata: dict[str, Any] | None = None

    def patch(self) -> CollectionPatch:
        """The change as the catalog's records carry it. Raises BadInputError."""
        self.check_milvus()
        check_depth(self.metadata or {}, what="Wrong input: metadata")
        return CollectionPatch(
            vectors=None if self.vectors is None else {name: v.diff() for name, v in self.vectors.items()},
            optimizers_config=None if self.optimizers_config is None else _optimizers(self.optimizers_config),
            hnsw_config=None if self.hnsw_config is None else _hnsw(self.hnsw_config),
            params=None if self.params is None else _params(self.params),
            quantization_config=_quantization_diff(self.quantization_config),
            metadata=self.metadata,
            sparse_vectors=(
                None if self.sparse_vectors is None else {n: v.diff() for n, v in self.sparse_vectors.items()}
            ),
            strict_mode=strict_mode(self.strict_mode_config),
        )


def _quantization_diff(request: Quantization | str | None) -> dict[str, Any] | str | None:
    return request if isinstance(request, str) else quantization_settings(request)


def _params(request: ParamsDiffRequest) -> CollectionParamsDiff:
    return msgspec.convert(request, CollectionParamsDiff, from_attributes=True)
