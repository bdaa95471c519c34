"""A partition's state in dicts."""

from collections.abc import Iterator, Sequence

from projector.fold.effects import Effects, Home, ShardEffects, ShardMeta
from projector.frames import ShardId
from schemas.ids import PointId
from schemas.records import Origin


class MemoryState:
    """Implements ``StateReader``, and commits."""

    def __init__(self) -> None:
        self.marker_seq = 0
        self.metas: dict[ShardId, ShardMeta] = {}
        self.watermarks: dict[int, Origin] = {}
        self.stored: dict[ShardId, dict[PointId, bytes]] = {}

    def shard(self, shard: ShardId) -> ShardMeta | None:
        return self.metas.get(shard)

    def home(self, name: str) -> Home | None:
        shards = sorted(shard for shard, meta in self.metas.items() if meta.name == name)
        if not shards:
            return None
        meta = self.metas[shards[0]]
        return Home(shards[0].uid, meta.config, meta.shard_map, [s.shard for s in shards if s.uid == shards[0].uid])

    def watermark(self, partition: int) -> Origin | None:
        return self.watermarks.get(partition)

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> Sequence[bytes | None]:
        stored = self.stored[shard]
        return [stored.get(point_id) for point_id in ids]

    def scan(self, shard: ShardId, after: PointId | None) -> Iterator[tuple[PointId, bytes]]:
        for point_id, value in sorted(self.stored[shard].items()):
            if after is None or point_id > after:
                yield point_id, value

    def commit(self, effects: Effects) -> None:
        if effects.marker_seq is not None:
            self.marker_seq = effects.marker_seq
        self.watermarks.update(effects.watermarks)
        for shard in effects.shards:
            self._commit_shard(shard)

    def _commit_shard(self, effects: ShardEffects) -> None:
        shard = effects.shard
        if effects.closed:
            del self.metas[shard], self.stored[shard]
            return
        if effects.meta is not None:
            self.metas[shard] = effects.meta
        stored = self.stored.setdefault(shard, {})
        for point_id, value in effects.points.items():
            if value is None:
                stored.pop(point_id, None)
            else:
                stored[point_id] = value
