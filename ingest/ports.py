"""What the write path needs from the rooms to its right, as protocols: the catalog as it is visible, and waiting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.deadline import Deadline
from ingest.log import Topic
from schemas.config import CollectionConfig
from schemas.operations import Outcome
from schemas.rest.shard_keys import ShardKey


@dataclass(frozen=True, slots=True)
class CollectionEntry:
    """A collection as the catalog knows it. ``shard_map``: shard number -> points partition.

    With custom sharding it has none itself: each of its shard ``keys`` is an entry that has. The ``key`` of such an
    entry is not None, and ``first`` is the number that its first shard has among all of the collection's.
    """

    uid: int
    name: str
    config: CollectionConfig
    shard_map: tuple[int, ...]
    keys: tuple["CollectionEntry", ...] = ()
    key: ShardKey | None = None
    first: int = 0

    @property
    def parts(self) -> tuple["CollectionEntry", ...]:
        """The entries that have shards: the keys', or this one."""
        return self.keys or ((self,) if self.shard_map else ())

    @property
    def partitions(self) -> frozenset[int]:
        """Where its shards are."""
        return frozenset(partition for part in self.parts for partition in part.shard_map)

    @property
    def numbers(self) -> list[tuple[int, ShardKey | None]]:
        """The number and the key of every shard, in the order of ``parts``."""
        return [(part.first + at, part.key) for part in self.parts for at in range(len(part.shard_map))]

    def shard(self, number: int) -> tuple["CollectionEntry", int] | None:
        """The entry that has the shard of a number, and its number there; None when there is none."""
        for part in self.parts:
            if part.first <= number < part.first + len(part.shard_map):
                return part, number - part.first
        return None


class Catalog(Protocol):
    """The catalog's visible state."""

    def resolve(self, name: str) -> CollectionEntry:
        """The collection that ``name``, a collection's name or an alias, stands for. Raises NotFoundError."""
        ...

    def staged(self, name: str) -> CollectionEntry | None:
        """The collection that is staged for the name of a collection, to take its place; None when there is none."""
        ...

    def collections(self) -> Sequence[CollectionEntry]:
        """All collections, by name."""
        ...

    def aliases(self) -> Mapping[str, str]:
        """Alias -> name of the collection it stands for."""
        ...


@dataclass(frozen=True, slots=True)
class StoredSize:
    """How much a collection holds; the bytes are about right."""

    points: int
    vector_bytes: int
    payload_bytes: int


class Sizes(Protocol):
    """How much collections hold."""

    def size_of(self, entry: CollectionEntry) -> StoredSize:
        """As it is visible now. Raises NotFoundError when the collection is gone, UnavailableError."""
        ...


class Visibility(Protocol):
    """Waiting until what was written can be read."""

    def check_applied(self, topic: Topic, partition: int) -> None:
        """Raise InsufficientStorageError while records are known not to be applied, for lack of a disk that takes it.

        Where another process applies them, that isn't known here.
        """
        ...

    async def wait(self, topic: Topic, partition: int, offset: int, deadline: Deadline) -> Sequence[Outcome]:
        """Return the outcomes of the record at ``offset`` once every reader stands at or after it.

        On the catalog topic this includes the markers the record caused: a created collection can be written to and
        searched. Raises TimedOutError at the ``deadline``, and
        InsufficientStorageError as ``check_applied``.
        """
        ...
