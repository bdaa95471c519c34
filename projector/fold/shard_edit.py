"""A shard being edited by one record: the committed points under the changes made so far."""

from collections.abc import Sequence

from projector.fold.effects import ShardMeta, StateReader
from projector.frames import ShardId
from schemas.ids import PointId


class ShardEdit:
    """``changes`` holds the new stored points, None for deleted ones."""

    def __init__(self, reader: StateReader, shard: ShardId, meta: ShardMeta) -> None:
        self.reader = reader
        self.shard = shard
        self.config = meta.config
        self.positions = {name: position for position, name in enumerate(meta.config.vectors)}
        self.names = list(meta.config.vectors)
        self.changes: dict[PointId, bytes | None] = {}

    def get(self, ids: Sequence[PointId]) -> list[bytes | None]:
        """The stored points as this record sees them, None where there is none."""
        if not self.changes:
            return list(self.reader.points(self.shard, ids))
        committed = iter(self.reader.points(self.shard, [i for i in ids if i not in self.changes]))
        return [self.changes[i] if i in self.changes else next(committed) for i in ids]
