"""The state: what the fold wrote, durable, one RocksDB per partition (docs/state-keys.md)."""
