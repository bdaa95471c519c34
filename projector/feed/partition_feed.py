"""PartitionFeed: what the projector of a partition tells the readers in other processes."""

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

from projector.fold.effects import ShardMeta
from projector.folders import StateFolder
from projector.frames import Frame, ShardId
from schemas.ids import PointId
from schemas.operations import Outcome


class FeedState(Protocol):
    """What a feed asks of a partition's state."""

    @property
    def applied(self) -> int:
        """The applied offset."""
        ...

    def shards(self) -> Mapping[ShardId, ShardMeta]:
        """All shards at home here."""
        ...

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> Sequence[bytes | None]:
        """Stored points by id."""
        ...

    def changed_since(self, shard: ShardId, offset: int) -> Sequence[PointId]:
        """The distinct ids changed after ``offset``, which is a manifest's."""
        ...

    def kept_outcomes(self) -> Sequence[tuple[int, Sequence[Outcome]]]:
        """(offset, outcomes) of the last records with a rejected operation, by offset."""
        ...


class PartitionFeed:
    """One generation of a partition's feed. Used on the event loop that folds."""

    @classmethod
    async def open(cls, folder: StateFolder, partition: int, identity: str, state: FeedState) -> Self:
        """Begin a generation with everything that the shards' manifests lack; only then readers leave the last one.

        After ``open_views``, before the next record is applied; no record may be half applied. ``identity`` is the
        log's. Raises ManifestDamagedError, OSError.
        """
        raise NotImplementedError

    def on_frame(self, frame: Frame) -> None:
        """Take in a frame of the runner; readers get it with the next ``flush``, or when many bytes wait for it.

        Raises OSError.
        """
        raise NotImplementedError

    def flush(self) -> None:
        """Write what waits and wake the readers; costs nothing when nothing waits. Raises OSError."""
        raise NotImplementedError

    def resealed(self, shard: ShardId, offset: int) -> None:
        """A shard has a new manifest, which stands at ``offset``: ``Optimizer.add(..., on_published=feed.resealed)``.

        Raises OSError.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Write what waits and close the files; readers may go on reading them. Raises OSError."""
        raise NotImplementedError
