"""What the write path needs from the rooms to its right, as protocols: the catalog as it is visible, and waiting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.deadline import Deadline
from ingest.log import Topic
from schemas.config import CollectionConfig
from schemas.operations import Outcome


@dataclass(frozen=True, slots=True)
class CollectionEntry:
    """A collection as the catalog knows it. ``shard_map``: shard number -> points partition."""

    uid: int
    name: str
    config: CollectionConfig
    shard_map: tuple[int, ...]


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
