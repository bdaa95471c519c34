"""How a collection is indexed and optimised: graph, optimizer and log settings, their limits, and how they merge."""

from typing import TypeVar

import msgspec

from schemas.errors import UnprocessableError
from schemas.vectors.params import HnswConfigDiff, Memory


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
    memory: Memory | None = None
    inline_storage: bool | None = None


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
    prevent_unoptimized: bool | None = None


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
    prevent_unoptimized: bool | None = None


class WalConfig(_Part, frozen=True):
    """Kept for clients that set it; the log decides its own segment sizes."""

    wal_capacity_mb: int = 32
    wal_segments_ahead: int = 0
    wal_retain_closed: int = 1


PartT = TypeVar("PartT", bound=msgspec.Struct)


def merge(base: PartT, diff: msgspec.Struct | None) -> PartT:
    """``base`` with every value of ``diff`` that is not None."""
    if diff is None:
        return base
    values = {f: v for f in diff.__struct_fields__ if (v := getattr(diff, f)) is not None}
    return msgspec.structs.replace(base, **values)


def merge_optimizers(base: OptimizersConfig, diff: OptimizersConfigDiff | None) -> OptimizersConfig:
    """``merge``, knowing that ``max_optimization_threads`` may be the word "auto", which is None here."""
    if diff is None:
        return base
    if isinstance(diff.max_optimization_threads, str):
        base = msgspec.structs.replace(base, max_optimization_threads=None)
        diff = msgspec.structs.replace(diff, max_optimization_threads=None)
    return merge(base, diff)


def check_hnsw(where: str, hnsw: HnswConfig | HnswConfigDiff) -> None:
    """Raise UnprocessableError naming the field for a value outside its limits."""
    check_range(f"{where}.m", hnsw.m, 0, None)
    check_range(f"{where}.ef_construct", hnsw.ef_construct, 4, None)
    check_range(f"{where}.full_scan_threshold", hnsw.full_scan_threshold, 0, None)
    check_range(f"{where}.max_indexing_threads", hnsw.max_indexing_threads, 0, None)
    check_range(f"{where}.payload_m", hnsw.payload_m, 0, None)


def check_optimizers(optimizers: OptimizersConfig) -> None:
    """Raise UnprocessableError as ``check_hnsw``."""
    if not 0.0 <= optimizers.deleted_threshold <= 1.0:
        raise invalid("optimizers_config.deleted_threshold", optimizers.deleted_threshold, "from 0.0 to 1.0")
    check_range("optimizers_config.vacuum_min_vector_number", optimizers.vacuum_min_vector_number, 100, None)
    check_range("optimizers_config.default_segment_number", optimizers.default_segment_number, 0, None)
    check_range("optimizers_config.max_segment_size", optimizers.max_segment_size, 1, None)
    check_range("optimizers_config.memmap_threshold", optimizers.memmap_threshold, 0, None)
    check_range("optimizers_config.indexing_threshold", optimizers.indexing_threshold, 0, None)
    check_range("optimizers_config.flush_interval_sec", optimizers.flush_interval_sec, 0, None)
    check_range("optimizers_config.max_optimization_threads", optimizers.max_optimization_threads, 0, None)


def check_wal(wal: WalConfig) -> None:
    """Raise UnprocessableError as ``check_hnsw``."""
    check_range("wal_config.wal_capacity_mb", wal.wal_capacity_mb, 1, None)
    check_range("wal_config.wal_segments_ahead", wal.wal_segments_ahead, 0, None)
    check_range("wal_config.wal_retain_closed", wal.wal_retain_closed, 1, None)


def check_range(field: str, value: int | None, low: int, high: int | None) -> None:
    """Raise UnprocessableError where ``value`` is below ``low`` or above ``high``."""
    if value is None or (value >= low and (high is None or value <= high)):
        return
    raise invalid(field, value, f"{low} or larger" if high is None else f"from {low} to {high}")


def invalid(field: str, value: object, limits: str) -> UnprocessableError:
    """The error for a value outside its limits, in Qdrant's words."""
    return UnprocessableError(f"Validation error in JSON body: [{field}: value {value} invalid, must be {limits}]")
