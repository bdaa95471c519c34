"""Counts of points by a payload key's values."""

import msgspec

from schemas.rest.points import JsonFilter
from schemas.rest.reads import AtLeastOne
from schemas.rest.shard_keys import ShardKeySelector


class FacetRequest(msgspec.Struct):
    """Which key's values to count, in which points, and how many to tell. Counts are always exact."""

    key: str
    limit: AtLeastOne | None = None
    filter: JsonFilter | None = None
    exact: bool | None = None
    shard_key: ShardKeySelector | None = None


class FacetHit(msgspec.Struct):
    """A value, and how many points have it."""

    value: str | int | bool
    count: int


class FacetResult(msgspec.Struct):
    """The values that most points have, most first, then by value."""

    hits: list[FacetHit]
