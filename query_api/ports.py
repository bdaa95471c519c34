"""What the read path needs from whoever holds the views of a collection's shards. Today that is this process."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ingest.deadline import Deadline
from ingest.log import Topic
from ingest.ports import CollectionEntry
from projector.view.shard_view import ShardView


class CollectionStatus(StrEnum):
    """Green: segments are as their policy wants them. Yellow: some are being built. Grey: some wait to be."""

    GREEN = "green"
    YELLOW = "yellow"
    GREY = "grey"
    RED = "red"


@dataclass(frozen=True, slots=True)
class CollectionCounts:
    """A collection in numbers. ``queued``: records accepted but not yet applied."""

    points: int
    indexed_vectors: int
    segments: int
    status: CollectionStatus
    optimizer_error: str | None = None
    queued: int = 0


class Readers(Protocol):
    """The readers of collections' shards."""

    async def reach(self, topic: Topic, partition: int, offset: int, deadline: Deadline) -> None:
        """Return once these readers show the record at ``offset``, and the markers it caused.

        Raises TimedOutError at the ``deadline``.
        """
        ...

    def views(self, entry: CollectionEntry) -> Sequence[ShardView]:
        """The current view of every shard. Raises NotFoundError when the collection is gone, UnavailableError."""
        ...

    async def counts(self, entry: CollectionEntry) -> CollectionCounts:
        """The collection in numbers. Raises as ``views``."""
        ...
