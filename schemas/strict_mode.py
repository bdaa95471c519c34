"""Strict mode: limits that a collection sets on requests, and on what it holds."""

import msgspec

from schemas.index_config import check_range


class MultivectorLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of one name of multivectors."""

    max_vectors: int | None = None


class SparseLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of one name of sparse vectors."""

    max_length: int | None = None


class StrictModeConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    """The limits; None: none. They hold while ``enabled``. Rates are of requests a minute, sizes in bytes."""

    enabled: bool | None = None
    max_query_limit: int | None = None
    max_timeout: int | None = None
    unindexed_filtering_retrieve: bool | None = None
    unindexed_filtering_update: bool | None = None
    search_max_hnsw_ef: int | None = None
    search_allow_exact: bool | None = None
    search_max_oversampling: float | None = None
    upsert_max_batchsize: int | None = None
    search_max_batchsize: int | None = None
    max_collection_vector_size_bytes: int | None = None
    read_rate_limit: int | None = None
    write_rate_limit: int | None = None
    max_collection_payload_size_bytes: int | None = None
    max_points_count: int | None = None
    filter_max_conditions: int | None = None
    condition_max_size: int | None = None
    multivector_config: dict[str, MultivectorLimits] | None = None
    sparse_config: dict[str, SparseLimits] | None = None
    max_payload_index_count: int | None = None
    max_resident_memory_percent: int | None = None


_AT_LEAST_ONE = (
    "max_query_limit",
    "max_timeout",
    "read_rate_limit",
    "write_rate_limit",
    "max_points_count",
)
_WHERE = "strict_mode_config"


def check_strict_mode(config: StrictModeConfig) -> None:
    """Raise UnprocessableError naming the field for a value outside its limits."""
    for field in _AT_LEAST_ONE:
        check_range(f"{_WHERE}.{field}", getattr(config, field), 1, None)
    check_range(f"{_WHERE}.max_resident_memory_percent", config.max_resident_memory_percent, 1, 100)
    for at, limits in enumerate((config.multivector_config or {}).values()):
        check_range(f"{_WHERE}.multivector_config.config[{at}].max_vectors", limits.max_vectors, 1, None)
    for at, limits in enumerate((config.sparse_config or {}).values()):
        check_range(f"{_WHERE}.sparse_config.config[{at}].max_length", limits.max_length, 1, None)
