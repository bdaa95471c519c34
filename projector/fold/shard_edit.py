"""A shard being edited by one record: the committed points under the changes made so far."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property

from projector.fold.candidates import Candidates
from projector.fold.effects import ShardMeta, StateReader
from projector.frames import ShardId
from schemas.ids import PointId


class ShardEdit:
    """``changes`` holds the new stored points, None for deleted ones; ``looked_at`` counts the points read so far.

    ``read_bytes`` counts the bytes of those, ``new_bytes`` the bytes of what was made of them.
    """

    def __init__(self, reader: StateReader, shard: ShardId, meta: ShardMeta) -> None:
        self.reader = reader
        self.shard = shard
        self.config = meta.config
        self.positions = meta.config.positions
        self.changes: dict[PointId, bytes | None] = {}
        self.candidates: Candidates = None
        """Where an operation by filter is to look, among the committed points."""
        self.looked_at = 0
        self.read_bytes = 0
        self.new_bytes = 0
        self._most_read = self._most_new = 0

    @cached_property
    def names(self) -> dict[int, str]:
        """The vector name at each position."""
        return {position: name for name, position in self.positions.items()}

    def allow(self, size: int) -> None:
        """Be full once ``size`` further bytes are read, or made of what was read."""
        self._most_read = self.read_bytes + size
        self._most_new = self.new_bytes + size

    @property
    def is_full(self) -> bool:
        """Whether it was enough for now."""
        return self.read_bytes >= self._most_read or self.new_bytes >= self._most_new

    def get(self, ids: Sequence[PointId]) -> list[bytes | None]:
        """The stored points as this record sees them, None where there is none."""
        self.looked_at += len(ids)
        if not self.changes:
            values = list(self.reader.points(self.shard, ids))
        else:
            committed = iter(self.reader.points(self.shard, [i for i in ids if i not in self.changes]))
            values = [self.changes[i] if i in self.changes else next(committed) for i in ids]
        self.read_bytes += sum([len(value) for value in values if value is not None])
        return values

    def put(self, point_id: PointId, value: bytes) -> None:
        """Change a point to ``value``, which counts."""
        self.changes[point_id] = value
        self.new_bytes += len(value)

    def filtered(self, after: PointId | None) -> Iterator[tuple[PointId, bytes]]:
        """The committed points with an id above ``after`` that may pass the operation's filter, in id order."""
        return self._scan(after) if self.candidates is None else self._look_up(self.candidates, after)

    def _look_up(self, candidates: Sequence[PointId], after: PointId | None) -> Iterator[tuple[PointId, bytes]]:
        for at in range(0 if after is None else bisect_right(candidates, after), len(candidates)):
            point_id = candidates[at]
            (value,) = self.get([point_id])
            if value is not None:
                yield point_id, value

    def _scan(self, after: PointId | None) -> Iterator[tuple[PointId, bytes]]:
        """The committed points with an id above ``after``, in id order."""
        for found in self.reader.scan(self.shard, after):
            self.looked_at += 1
            self.read_bytes += len(found[1])
            yield found
