"""Strict mode as requests give it."""

from typing import Annotated

import msgspec

from schemas.strict_mode import StrictModeConfig

_Usize = Annotated[int, msgspec.Meta(ge=0)]
_U32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class MultivectorLimitsRequest(msgspec.Struct, frozen=True):
    """Of one name of multivectors."""

    max_vectors: _Usize | None = None


class SparseLimitsRequest(msgspec.Struct, frozen=True):
    """Of one name of sparse vectors."""

    max_length: _Usize | None = None


class StrictModeRequest(msgspec.Struct, frozen=True):
    """Limits on requests and on what a collection holds; null leaves what is there."""

    enabled: bool | None = None
    max_query_limit: _Usize | None = None
    max_timeout: _Usize | None = None
    unindexed_filtering_retrieve: bool | None = None
    unindexed_filtering_update: bool | None = None
    search_max_hnsw_ef: _Usize | None = None
    search_allow_exact: bool | None = None
    search_max_oversampling: float | None = None
    upsert_max_batchsize: _Usize | None = None
    search_max_batchsize: _Usize | None = None
    max_collection_vector_size_bytes: _Usize | None = None
    read_rate_limit: _U32 | None = None
    write_rate_limit: _U32 | None = None
    max_collection_payload_size_bytes: _Usize | None = None
    max_points_count: _Usize | None = None
    filter_max_conditions: _Usize | None = None
    condition_max_size: _Usize | None = None
    multivector_config: dict[str, MultivectorLimitsRequest] | None = None
    sparse_config: dict[str, SparseLimitsRequest] | None = None
    max_payload_index_count: _Usize | None = None
    max_resident_memory_percent: _Usize | None = None


def strict_mode(request: StrictModeRequest | None) -> StrictModeConfig | None:
    """The limits as the configuration keeps them. ``schemas.config.check_config`` looks at their values."""
    return None if request is None else msgspec.convert(request, StrictModeConfig, from_attributes=True)
