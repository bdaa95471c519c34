"""Shard keys in requests: those that select points, and those that make and drop keys."""

from typing import Annotated, Literal

import msgspec

from schemas.errors import BadInputError

ShardKey = str | Annotated[int, msgspec.Meta(ge=0)]


ReplicaState = Literal[
    "Active",
    "Dead",
    "Partial",
    "Initializing",
    "Listener",
    "PartialSnapshot",
    "Recovery",
    "Resharding",
    "ReshardingScaleDown",
    "ActiveRead",
    "ManualRecovery",
]


class ShardKeyWithFallback(msgspec.Struct):
    """A key, and the one to use where that has no shard."""

    target: ShardKey
    fallback: ShardKey


ShardKeySelector = ShardKey | list[ShardKey] | ShardKeyWithFallback


def shown(key: ShardKey) -> str:
    """A key as messages show it."""
    return f'"{key}"' if isinstance(key, str) else str(key)


def refuse_shard_key(selector: ShardKeySelector | None, kind: str) -> None:
    """Raise BadInputError, with a text that begins with ``kind``, when a shard key is named."""
    if isinstance(selector, ShardKeyWithFallback):
        selector = [selector.target]
    keys = selector if isinstance(selector, list) else [] if selector is None else [selector]
    for key in keys:
        raise BadInputError(f"{kind}: Shard key {shown(key)} not found")


class CreateShardKeyRequest(msgspec.Struct):
    """A new shard key. ``placement`` may name the one peer there is; the state of new shards is of no consequence."""

    shard_key: ShardKey
    shards_number: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | None = None
    replication_factor: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | None = None
    placement: list[int] | None = None
    initial_state: ReplicaState | None = None

    def __post_init__(self) -> None:
        if self.shards_number == 0 or self.replication_factor == 0:
            raise BadInputError("Format error in JSON body: invalid value: integer `0`, expected a nonzero u32")


class DropShardKeyRequest(msgspec.Struct):
    """Which shard key to drop."""

    shard_key: ShardKey


class ShardKeyDescription(msgspec.Struct):
    """A shard key."""

    key: ShardKey


class ShardKeysResult(msgspec.Struct, omit_defaults=True):
    """The shard keys of a collection; none at all where its sharding is automatic."""

    shard_keys: list[ShardKeyDescription] | msgspec.UnsetType = msgspec.UNSET
