"""A shard being edited by one record: the committed points under the changes made so far."""

from collections.abc import Iterator, Sequence

from projector.fold.effects import ShardMeta, StateReader
from projector.frames import ShardId
from schemas.ids import PointId


class ShardEdit:
    """``changes`` holds the new stored points, None for deleted ones; ``looked_at`` counts the points read so far."""

    def __init__(self, reader: StateReader, shard: ShardId, meta: ShardMeta) -> None:
        self.reader = reader
        self.shard = shard
        self.config = meta.config
        self.positions = meta.config.positions
        self.names = {position: name for name, position in self.positions.items()}
        self.changes: dict[PointId, bytes | None] = {}
        self.looked_at = 0

    def get(self, ids: Sequence[PointId]) -> list[bytes | None]:
        """The stored points as this record sees them, None where there is none."""
        self.looked_at += len(ids)
        if not self.changes:
            return list(self.reader.points(self.shard, ids))
        committed = iter(self.reader.points(self.shard, [i for i in ids if i not in self.changes]))
        return [self.changes[i] if i in self.changes else next(committed) for i in ids]

    def scan(self, after: PointId | None) -> Iterator[tuple[PointId, bytes]]:
        """The committed points with an id above ``after``, in id order."""
        for found in self.reader.scan(self.shard, after):
            self.looked_at += 1
            yield found
