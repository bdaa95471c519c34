"""What the frames of feeds say, in MessagePack (docs/feed-format.md). A points feed's frames are ``Frame``."""

from typing import TypeVar

import msgspec

from projector.catalog.state import CollectionMeta
from projector.feed.errors import FeedBrokenError
from projector.frames import Frame, ShardId
from schemas.config import CollectionConfig
from schemas.operations import Outcome

MessageT = TypeVar("MessageT")


class OpenShard(msgspec.Struct, frozen=True, array_like=True):
    """A shard at home in the partition.

    ``needs``: the frames after the checkpoint go on from a manifest that stands at or above this offset.
    """

    shard: ShardId
    name: str
    config: CollectionConfig
    shard_map: list[int]
    needs: int


class PointsCheckpoint(msgspec.Struct, frozen=True):
    """Where the frames of a points feed's file go on from.

    ``outcomes``: of every record with a rejected operation above offset ``outcomes_after`` and not above ``offset``.
    """

    offset: int
    shards: list[OpenShard]
    outcomes_after: int
    outcomes: list[tuple[int, list[Outcome]]]


class CatalogMarkers(msgspec.Struct, frozen=True, array_like=True):
    """The (partition, offset) of the markers that the catalog's record at ``offset`` caused."""

    offset: int
    markers: list[tuple[int, int]]


class CatalogCheckpoint(msgspec.Struct, frozen=True):
    """The whole catalog at an offset.

    ``markers`` and ``outcomes`` are those of every record above offset ``known_after``: outcomes where an operation
    was rejected, markers where there were any.
    """

    offset: int
    collections: list[CollectionMeta]
    aliases: dict[str, str]
    known_after: int
    markers: list[CatalogMarkers]
    outcomes: list[tuple[int, list[Outcome]]]


class CatalogChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the record at ``offset`` did to the catalog."""

    offset: int
    changed: list[CollectionMeta] = []
    removed: list[str] = []
    aliases: dict[str, str | None] = {}
    """Those that changed, None where one is gone."""
    markers: list[tuple[int, int]] = []
    outcomes: list[Outcome] = []


encode = msgspec.msgpack.Encoder().encode

_frames = msgspec.msgpack.Decoder(Frame)
_points_checkpoints = msgspec.msgpack.Decoder(PointsCheckpoint)
_catalog_checkpoints = msgspec.msgpack.Decoder(CatalogCheckpoint)
_catalog_changes = msgspec.msgpack.Decoder(CatalogChange)


def decode_frame(payload: memoryview) -> Frame:
    """A frame of a points feed. Raises FeedBrokenError."""
    return _decode(_frames, payload)


def decode_points_checkpoint(payload: memoryview) -> PointsCheckpoint:
    """The first frame of a points feed's file. Raises FeedBrokenError."""
    return _decode(_points_checkpoints, payload)


def decode_catalog_checkpoint(payload: memoryview) -> CatalogCheckpoint:
    """The first frame of a catalog feed's file. Raises FeedBrokenError."""
    return _decode(_catalog_checkpoints, payload)


def decode_catalog_change(payload: memoryview) -> CatalogChange:
    """A later frame of a catalog feed's file. Raises FeedBrokenError."""
    return _decode(_catalog_changes, payload)


def _decode(decoder: msgspec.msgpack.Decoder[MessageT], payload: memoryview) -> MessageT:
    try:
        return decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise FeedBrokenError(f"a frame can't be read: {error}") from error
