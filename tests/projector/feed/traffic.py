"""Records for a log of one partition, of which everyone can tell the rejected ones by their offsets."""

import random
from collections.abc import Iterator

import numpy as np

from projector.frames import ShardId
from schemas.config import CollectionConfig, Distance, OptimizersConfig, VectorParams
from schemas.ids import UUID_BASE, PointId, ids_to_wire
from schemas.operations import DeletePoints, Operation, SetPayload, Upsert
from schemas.records import PartitionRecord, PointsRecord, ShardOpened
from schemas.vectors.dense import DenseColumn

CONFIG = CollectionConfig(
    vectors={"a": VectorParams(4, Distance.DOT)}, optimizers=OptimizersConfig(flush_interval_sec=0)
)
SHARDS = [ShardId(uid, 0) for uid in (1, 2, 3)]
NO_SUCH_POINT = 1 << 40
_IDS = [*map(PointId, range(400)), *(PointId(UUID_BASE + n) for n in range(100))]


def is_rejected(offset: int) -> bool:
    """Whether the record at ``offset`` is rejected."""
    return offset % 17 == 11


def records(count: int) -> Iterator[PartitionRecord]:
    """The log's records, from offset 0 on."""
    rng = random.Random(5)
    for offset in range(count):
        if offset < len(SHARDS):
            uid = SHARDS[offset].uid
            yield ShardOpened(seq=uid, uid=uid, shard=0, name=f"c{uid}", config=CONFIG, shard_map=[0])
        elif is_rejected(offset):
            yield _record(rng, SetPayload(b'{"x":1}', ids=[NO_SUCH_POINT]))
        elif rng.random() < 0.2:
            yield _record(rng, DeletePoints(ids=ids_to_wire(rng.sample(_IDS, 10))))
        else:
            yield _record(rng, _upsert(rng, offset))


def _upsert(rng: random.Random, offset: int) -> Upsert:
    ids = rng.sample(_IDS, rng.randrange(1, 20))
    data = np.full((len(ids), 4), offset, "<f4").tobytes()
    return Upsert(ids_to_wire(ids), {"a": DenseColumn(4, data)}, [b'{"offset":%d}' % offset] * len(ids))


def _record(rng: random.Random, operation: Operation) -> PointsRecord:
    return PointsRecord(uid=rng.choice(SHARDS).uid, shard=0, ops=[operation])
