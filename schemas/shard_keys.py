"""Which shard keys a collection can have."""

from collections.abc import Sequence

from schemas.config import CUSTOM_SHARDING
from schemas.errors import BadInputError, UnprocessableError
from schemas.rest.shard_keys import ShardKey, shown

MAX_SHARD_KEY_BYTES = 255


def check_method(method: str | None) -> None:
    """Raise BadInputError for a collection whose shards don't belong to keys."""
    if method != CUSTOM_SHARDING:
        raise BadInputError("Bad request: Shard Key cannot be created with Auto sharding method")


def unknown_key(key: ShardKey, collection: str) -> BadInputError:
    """What there is to say of a key that is to be dropped, and isn't there."""
    return BadInputError(f"Bad request: Sharding key {shown(key)} does not exist for collection {collection}")


def check_new_key(method: str | None, key: ShardKey, known: Sequence[ShardKey | None], collection: str) -> None:
    """Raise BadInputError, UnprocessableError for a key that a collection can't have, or has."""
    check_method(method)
    if isinstance(key, str) and len(key.encode()) > MAX_SHARD_KEY_BYTES:
        raise UnprocessableError(f"Validation error in JSON body: [shard_key: at most {MAX_SHARD_KEY_BYTES} bytes]")
    if key in known:
        raise BadInputError(f"Bad request: Sharding key {shown(key)} already exists for collection {collection}")
