"""The ``result`` of answers about points and aliases, and small ones about collections."""

from enum import StrEnum
from typing import Annotated

import msgspec

from schemas.rest.points import RawVector
from schemas.rest.shard_keys import ShardKey

JsonObject = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object", "additionalProperties": True})]
"""A JSON object, spliced into the answer as it is stored."""


class UpdateStatus(StrEnum):
    """How far an update had come when it was answered."""

    ACKNOWLEDGED = "acknowledged"
    COMPLETED = "completed"
    WAIT_TIMEOUT = "wait_timeout"


class UpdateResult(msgspec.Struct):
    """An accepted update. ``operation_id`` is the highest log offset it was given."""

    operation_id: int
    status: UpdateStatus


class PointResult(msgspec.Struct, omit_defaults=True, gc=False):
    """A point as retrieve and scroll answer it."""

    id: int | str
    payload: JsonObject | msgspec.UnsetType = msgspec.UNSET
    vector: RawVector | msgspec.UnsetType = msgspec.UNSET
    order_value: int | float | msgspec.UnsetType = msgspec.UNSET
    shard_key: ShardKey | msgspec.UnsetType = msgspec.UNSET


class ScoredPointResult(msgspec.Struct, omit_defaults=True, gc=False):
    """A point as queries answer it."""

    id: int | str
    version: int
    score: float
    payload: JsonObject | msgspec.UnsetType = msgspec.UNSET
    vector: RawVector | msgspec.UnsetType = msgspec.UNSET
    order_value: int | float | msgspec.UnsetType = msgspec.UNSET
    shard_key: ShardKey | msgspec.UnsetType = msgspec.UNSET


class ScrollResult(msgspec.Struct):
    """One page of points in id order, and where the next one begins."""

    points: list[PointResult]
    next_page_offset: int | str | None


class QueryResult(msgspec.Struct):
    """What one query found, best first."""

    points: list[ScoredPointResult]


class PointGroup(msgspec.Struct, omit_defaults=True):
    """Points that have one value, best first; ``lookup`` is the point that has the value as its id."""

    hits: list[ScoredPointResult]
    id: int | str
    lookup: PointResult | msgspec.UnsetType = msgspec.UNSET


class GroupsResult(msgspec.Struct):
    """What one query found in groups, those with the best points first."""

    groups: list[PointGroup]


class CountResult(msgspec.Struct):
    """How many points pass a filter."""

    count: int


class CollectionDescription(msgspec.Struct):
    """A collection in the list of all."""

    name: str


class CollectionsResult(msgspec.Struct):
    """The collections."""

    collections: list[CollectionDescription]


class ExistsResult(msgspec.Struct):
    """Whether a collection exists."""

    exists: bool


class LocalShardInfo(msgspec.Struct):
    """A shard. All are active: what can't be read is an error, not a state."""

    shard_id: int
    points_count: int
    state: str = "Active"
    shard_key: ShardKey | msgspec.UnsetType = msgspec.UNSET


class CollectionClusterInfo(msgspec.Struct):
    """Where a collection's shards are: all of them here."""

    peer_id: int
    shard_count: int
    local_shards: list[LocalShardInfo]
    remote_shards: list[LocalShardInfo] = []
    shard_transfers: list[LocalShardInfo] = []


class AliasDescription(msgspec.Struct):
    """An alias and the collection it stands for."""

    alias_name: str
    collection_name: str


class AliasesResult(msgspec.Struct):
    """Aliases."""

    aliases: list[AliasDescription]
