"""What a server tells of a collection, as the request that makes another one like it."""

from typing import Any

_PARAMS = (
    "vectors",
    "sparse_vectors",
    "shard_number",
    "sharding_method",
    "replication_factor",
    "write_consistency_factor",
    "on_disk_payload",
    "payload",
)
_RENAMED = {
    "hnsw_config": "hnsw_config",
    "optimizer_config": "optimizers_config",
    "wal_config": "wal_config",
    "quantization_config": "quantization_config",
    "metadata": "metadata",
}


def create_request(info: dict[str, Any]) -> dict[str, Any]:
    """The body that creates a collection with the configuration of ``info``, but for strict mode."""
    config: dict[str, Any] = info["config"]
    params: dict[str, Any] = config["params"]
    body = {name: params[name] for name in _PARAMS if params.get(name) is not None}
    body |= {to: config[name] for name, to in _RENAMED.items() if config.get(name) is not None}
    return body


def patch_request(info: dict[str, Any]) -> dict[str, Any]:
    """The body that sets what a new collection is not created with: strict mode would refuse the copy itself."""
    strict = info["config"].get("strict_mode_config")
    params: dict[str, Any] = info["config"]["params"]
    fans = {name: params[name] for name in ("read_fan_out_factor", "read_fan_out_delay_ms") if params.get(name)}
    return ({"strict_mode_config": strict} if strict else {}) | ({"params": fans} if fans else {})


def indexes(info: dict[str, Any]) -> dict[str, Any]:
    """Each payload index: the key, and the schema that declares it."""
    schema: dict[str, dict[str, Any]] = info.get("payload_schema") or {}
    return {key: index.get("params") or index["data_type"] for key, index in schema.items()}
