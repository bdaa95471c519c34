"""Collection configuration: defaults that are part of the log, patches, limits."""

from typing import Any

import msgspec
import pytest

from schemas.config import (
    MAX_CONFIG_BYTES,
    CollectionConfig,
    CollectionPatch,
    Distance,
    HnswConfig,
    HnswConfigDiff,
    OptimizersConfig,
    VectorParams,
    WalConfig,
    apply_patch,
    check_collection_name,
    check_config,
    merge,
)
from schemas.errors import BadInputError, UnprocessableError
from schemas.strict_mode import StrictModeConfig

CONFIG = CollectionConfig(vectors={"": VectorParams(size=4, distance=Distance.COSINE)})


def patched(obj: dict[str, Any], config: CollectionConfig = CONFIG) -> CollectionConfig:
    return apply_patch(config, msgspec.convert(obj, CollectionPatch))


def test_defaults_are_part_of_the_log_and_never_change() -> None:
    """A record leaves out what is the default, so another default would give old records another meaning."""
    assert (
        CollectionConfig(
            vectors={"": VectorParams(4, Distance.COSINE, None, None, None, None)},
            shard_number=1,
            on_disk_payload=True,
            replication_factor=1,
            write_consistency_factor=1,
            hnsw=HnswConfig(16, 100, 10000, 0, None, None),
            optimizers=OptimizersConfig(0.2, 1000, 0, None, None, 10000, 5, None),
            wal=WalConfig(32, 0),
            quantization=None,
            metadata=None,
        )
        == CONFIG
    )


def test_a_vector_has_its_own_graph_parameters() -> None:
    own = VectorParams(4, Distance.DOT, hnsw_config=HnswConfigDiff(m=32))
    config = CollectionConfig(vectors={"a": own, "b": VectorParams(4, Distance.DOT)}, hnsw=HnswConfig(ef_construct=50))
    assert config.hnsw_for("a") == HnswConfig(m=32, ef_construct=50)
    assert config.hnsw_for("b") == HnswConfig(ef_construct=50)


def test_nearer() -> None:
    assert [d.value for d in Distance if d.higher_is_nearer] == ["Cosine", "Dot"]


def test_merge_takes_what_is_not_none() -> None:
    assert merge(HnswConfig(m=1), HnswConfigDiff(ef_construct=7, on_disk=False)) == HnswConfig(1, 7, on_disk=False)
    assert merge(HnswConfig(m=1), None) == HnswConfig(m=1)


def test_an_empty_patch_changes_nothing() -> None:
    assert patched({}) == CONFIG


def test_a_patch_changes_what_it_names() -> None:
    config = patched(
        {
            "vectors": {"": {"hnsw_config": {"m": 8}, "on_disk": True}},
            "optimizers_config": {"indexing_threshold": 5},
            "hnsw_config": {"ef_construct": 64},
            "params": {"on_disk_payload": False},
            "quantization_config": {"scalar": {"type": "int8"}},
            "metadata": {"a": 1, "b": 2},
        }
    )
    assert config.vectors[""].hnsw_config == HnswConfigDiff(m=8)
    assert config.vectors[""].on_disk is True
    assert config.optimizers == OptimizersConfig(indexing_threshold=5)
    assert config.hnsw == HnswConfig(ef_construct=64)
    assert config.on_disk_payload is False
    again = patched(
        {
            "vectors": {"": {"hnsw_config": {"ef_construct": 9}}},
            "quantization_config": "Disabled",
            "metadata": {"a": None, "c": 3},
        },
        config,
    )
    assert again.vectors[""].hnsw_config == HnswConfigDiff(m=8, ef_construct=9)
    assert again.vectors[""].on_disk is True
    assert again.quantization is None
    assert again.metadata == {"b": 2, "c": 3}


def test_a_patch_of_strict_mode_is_merged() -> None:
    strict = patched({"strict_mode": {"enabled": True, "max_timeout": 5}})
    changed = patched({"strict_mode": {"max_timeout": 6}}, strict).strict_mode
    assert changed == StrictModeConfig(enabled=True, max_timeout=6)


def test_a_patch_of_a_vector_can_end_its_quantization() -> None:
    quantized = patched({"vectors": {"": {"quantization_config": {"binary": {}}, "memory": "cold"}}})
    assert quantized.vectors[""].quantization_config == {"binary": {}}
    ended = patched({"vectors": {"": {"quantization_config": "Disabled"}}}, quantized).vectors[""]
    assert (ended.quantization_config, ended.memory) == (None, "cold")


def test_optimization_threads_go_back_to_automatic() -> None:
    two = patched({"optimizers_config": {"max_optimization_threads": 2}})
    assert two.optimizers.max_optimization_threads == 2
    assert patched({"optimizers_config": {"indexing_threshold": 1}}, two).optimizers.max_optimization_threads == 2
    automatic = patched({"optimizers_config": {"max_optimization_threads": "auto", "indexing_threshold": 1}}, two)
    assert automatic.optimizers == OptimizersConfig(indexing_threshold=1)


def test_a_patch_of_an_unknown_vector_is_refused() -> None:
    with pytest.raises(BadInputError, match="Not existing vector name error: x"):
        patched({"vectors": {"x": {}}})


@pytest.mark.parametrize(
    ("obj", "field"),
    [
        ({"hnsw_config": {"m": -1}}, "hnsw_config.m"),
        ({"hnsw_config": {"ef_construct": 3}}, "hnsw_config.ef_construct"),
        ({"vectors": {"": {"hnsw_config": {"m": -1}}}}, "vectors.hnsw_config.m"),
        ({"optimizers_config": {"deleted_threshold": 1.1}}, "optimizers_config.deleted_threshold"),
        ({"optimizers_config": {"deleted_threshold": float("nan")}}, "optimizers_config.deleted_threshold"),
        ({"optimizers_config": {"vacuum_min_vector_number": 99}}, "optimizers_config.vacuum_min_vector_number"),
        ({"optimizers_config": {"indexing_threshold": -1}}, "optimizers_config.indexing_threshold"),
        ({"params": {"replication_factor": 0}}, "replication_factor"),
        ({"params": {"payload": {"memory": "pinned"}}}, "payload.memory"),
        ({"vectors": {"": {"memory": "pinned"}}}, "vectors.memory"),
        ({"strict_mode": {"max_query_limit": 0}}, "strict_mode_config.max_query_limit"),
        ({"strict_mode": {"sparse_config": {"s": {"max_length": 0}}}}, "sparse_config.config[0].max_length"),
    ],
)
def test_limits(obj: dict[str, Any], field: str) -> None:
    with pytest.raises(UnprocessableError) as error:
        patched(obj)
    assert f"{field}: " in error.value.message


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (CollectionConfig(vectors={}, shard_number=0), "shard_number"),
        (CollectionConfig(vectors={}, shard_number=257), "shard_number"),
        (CollectionConfig(vectors={"": VectorParams(0, Distance.DOT)}), "vectors.size"),
        (CollectionConfig(vectors={"a": VectorParams(65537, Distance.DOT)}), "vectors.a.size"),
        (CollectionConfig(vectors={"é" * 128: VectorParams(1, Distance.DOT)}), f"vectors.{'é' * 128}"),
        (CollectionConfig(vectors={str(i): VectorParams(1, Distance.DOT) for i in range(65)}), "vectors"),
        (CollectionConfig(vectors={}, wal=WalConfig(0)), "wal_config.wal_capacity_mb"),
    ],
)
def test_limits_of_a_new_collection(config: CollectionConfig, field: str) -> None:
    with pytest.raises(UnprocessableError) as error:
        check_config(config)
    assert f"{field}: " in error.value.message


def test_a_configuration_fits_into_the_markers_that_carry_it() -> None:
    half = "x" * (MAX_CONFIG_BYTES // 2)
    config = patched({"metadata": {"a": half}})
    with pytest.raises(UnprocessableError, match="at most 524288 bytes"):
        patched({"metadata": {"b": half}}, config)
    with pytest.raises(UnprocessableError, match="at most 524288 bytes"):
        check_config(CollectionConfig(vectors={}, quantization={"scalar": "x" * MAX_CONFIG_BYTES}))


def _nested(levels: int) -> Any:
    return {"a": _nested(levels - 1)} if levels else 1


def _nested_key(levels: int) -> Any:
    return (_nested_key(levels - 1),) if levels else 1


def test_what_a_configuration_keeps_as_it_came_is_at_most_so_deep() -> None:
    vectors = {"": VectorParams(1, Distance.DOT)}
    params = {"": VectorParams(1, Distance.DOT, quantization_config=_nested(65))}
    check_config(CollectionConfig(vectors, metadata=_nested(64), quantization=_nested(64)))
    for config in (
        CollectionConfig(vectors, metadata=_nested(65)),
        CollectionConfig(vectors, metadata=_nested(900)),
        CollectionConfig(vectors, metadata={"a": {_nested_key(900): 1}}),
        CollectionConfig(vectors, quantization=_nested(65)),
        CollectionConfig(params),
    ):
        with pytest.raises(BadInputError, match="is nested deeper than 64 levels"):
            check_config(config)


@pytest.mark.parametrize("name", ["a", "a b", "été", "x" * 255, "a.b", "..."])
def test_collection_names(name: str) -> None:
    check_collection_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "x" * 256, "é" * 128, "a/b", "a\\b", "a\0", "a\n", "a\x7f", "a*", "a:b"]
)
def test_bad_collection_names(name: str) -> None:
    with pytest.raises(UnprocessableError, match="collection name"):
        check_collection_name(name)
