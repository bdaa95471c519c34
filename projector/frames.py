"""Frames: the changes since the segments, as the feed carries them from the projector to readers.

A record that was applied gives one frame, or several of which the last is ``final``. Readers advance their visible
offset with the final one only.
"""

import msgspec

from schemas.config import CollectionConfig
from schemas.ids import WireId
from schemas.operations import Outcome


class ShardId(msgspec.Struct, frozen=True, order=True, array_like=True):
    """One shard of one collection: the collection's uid and the shard's number."""

    uid: int
    shard: int


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """A shard begins to exist, empty."""

    shard: ShardId
    name: str
    config: CollectionConfig
    shard_map: list[int]


class Reconfigured(msgspec.Struct, frozen=True, tag="reconfigured"):
    """A shard's configuration changed."""

    shard: ShardId
    config: CollectionConfig


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """A shard is gone."""

    shard: ShardId


class Changes(msgspec.Struct, frozen=True, tag="changes"):
    """Points of one shard as they are now: the stored point, or None where it was deleted. Ids are distinct."""

    shard: ShardId
    ids: list[WireId]
    points: list[bytes | None]


class Resealed(msgspec.Struct, frozen=True, tag="resealed"):
    """A shard has a new manifest, which stands at ``offset``. Only in the feed between processes.

    It changes no point and makes nothing visible: a reader may put the manifest's segments in place of its own.
    """

    shard: ShardId
    offset: int


Event = Opened | Reconfigured | Closed | Changes | Resealed


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the record at ``offset`` did, or a part of it. ``outcomes`` where one of them is a rejection.

    Of several records the last one's frame tells what they did together; frames without events that are not final
    tell the outcomes of those before it.
    """

    offset: int
    events: list[Event]
    outcomes: list[Outcome] = []
    final: bool = True

    @property
    def is_notice(self) -> bool:
        """Whether it tells of files only and is no part of a record."""
        return bool(self.events) and isinstance(self.events[0], Resealed)
