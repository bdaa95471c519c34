"""The shards at home in a partition: their metas, in memory as in the database, and by their collection's name."""

import msgspec

from projector.fold.effects import Home, ShardEffects, ShardMeta
from projector.frames import ShardId
from projector.state import keys
from projector.state.kv import KeyValue
from schemas.config import is_hidden

_decoder = msgspec.msgpack.Decoder(ShardMeta)


class Shards:
    """``metas`` by shard. What changes them is written by ``PartitionState``."""

    def __init__(self, kv: KeyValue) -> None:
        self.metas: dict[ShardId, ShardMeta] = {}
        self._by_name: dict[str, list[ShardId]] = {}
        for key, value in kv.scan(keys.SHARD_PREFIX):
            self._put(keys.shard_from_bytes(key[len(keys.SHARD_PREFIX) :]), _decoder.decode(value))

    def home(self, name: str) -> Home | None:
        """``StateReader.home``."""
        shards = self._by_name.get(name)
        if shards is None or is_hidden(name):
            return None
        # While one collection takes another's name, some shards of both may have it: the later one is meant.
        uid = max(shards, key=lambda shard: self.metas[shard].opened).uid
        meta = next(self.metas[shard] for shard in shards if shard.uid == uid)
        return Home(uid, meta.config, meta.shard_map, [shard.shard for shard in shards if shard.uid == uid])

    def remember(self, effects: ShardEffects) -> None:
        """Take in what was written."""
        if effects.closed:
            self._remove(effects.shard)
        elif effects.meta is not None:
            self._put(effects.shard, effects.meta)

    def _put(self, shard: ShardId, meta: ShardMeta) -> None:
        known = self.metas.get(shard)
        if known is None or known.name != meta.name:
            self._remove(shard)
            self._by_name[meta.name] = sorted([*self._by_name.get(meta.name, []), shard])
        self.metas[shard] = meta

    def _remove(self, shard: ShardId) -> None:
        meta = self.metas.pop(shard, None)
        if meta is None:
            return
        self._by_name[meta.name].remove(shard)
        if not self._by_name[meta.name]:
            del self._by_name[meta.name]
