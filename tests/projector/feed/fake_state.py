"""A state as a feed sees it, without a database."""

from collections.abc import Iterable, Mapping, Sequence

from projector.fold.effects import ShardMeta
from projector.frames import Frame, Opened, ShardId
from schemas.ids import PointId
from schemas.operations import Outcome
from tests.projector.feed.sample import CONFIG

A, B = ShardId(1, 0), ShardId(2, 0)
REJECTED = [Outcome("Not found", 404)]


class State:
    """What a feed asks of a state; points' bytes are their ids."""

    def __init__(self, applied: int = -1, changed: Mapping[ShardId, Mapping[int, int]] | None = None) -> None:
        """``changed``: at which offset each point changed, by shard and id."""
        self.applied = applied
        self.changed = changed or {}
        self.rejected: list[tuple[int, list[Outcome]]] = []

    def shards(self) -> Mapping[ShardId, ShardMeta]:
        return {shard: ShardMeta(f"c{shard.uid}", CONFIG, [0]) for shard in self.changed}

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> Sequence[bytes | None]:
        return [None if i % 10 == 0 else b"%d" % i for i in ids]

    def changed_since(self, shard: ShardId, offset: int) -> Sequence[PointId]:
        return [PointId(i) for i, at in self.changed[shard].items() if at > offset]

    def outcomes_since(self, offset: int) -> Iterable[tuple[int, list[Outcome]]]:
        return [kept for kept in self.rejected if kept[0] >= offset]


def opened(offset: int, shard: ShardId) -> Frame:
    return Frame(offset, [Opened(shard, f"c{shard.uid}", CONFIG, [0])])
