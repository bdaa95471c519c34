"""Shard keys in requests. Collections have none yet, so whatever key is named is not found."""

from typing import Annotated

import msgspec

from schemas.errors import BadInputError

ShardKey = str | Annotated[int, msgspec.Meta(ge=0)]


class ShardKeyWithFallback(msgspec.Struct):
    """A key, and the one to use where that has no shard."""

    target: ShardKey
    fallback: ShardKey


ShardKeySelector = ShardKey | list[ShardKey] | ShardKeyWithFallback


def check_shard_key(selector: ShardKeySelector | None, kind: str) -> None:
    """Raise BadInputError, with a text that begins with ``kind``, when a shard key is named."""
    if isinstance(selector, ShardKeyWithFallback):
        selector = [selector.target]
    keys = selector if isinstance(selector, list) else [] if selector is None else [selector]
    for key in keys:
        shown = f'"{key}"' if isinstance(key, str) else key
        raise BadInputError(f"{kind}: Shard key {shown} not found")
