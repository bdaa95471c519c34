"""A partition's state in dicts that counts what it applies, and operations written briefly."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from ingest.foreign import ForeignWrite
from projector.fold.candidates import Candidates
from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Cursor
from projector.fold.fold import DEFAULT_LIMIT
from projector.frames import ShardId
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId, to_wire
from schemas.operations import Operation, Outcome, Upsert
from schemas.points import StoredPoint, decode_point
from schemas.records import PartitionRecord, PointsRecord, ShardOpened
from schemas.vectors.dense import DenseColumn
from schemas.vectors.registry import VectorColumn
from tests.projector.fold.one import One, fold_one
from tests.support import memory_state

CONFIG = CollectionConfig(vectors={"image": VectorParams(2, Distance.DOT), "text": VectorParams(1, Distance.COSINE)})
SHARD = ShardId(7, 0)
OPENED = ShardOpened(seq=1, uid=SHARD.uid, shard=SHARD.shard, name="things", config=CONFIG, shard_map=[0])

Points = dict[int, dict[str, Any]]


class MemoryState(memory_state.MemoryState):
    """Folds and commits one record after another."""

    def __init__(self) -> None:
        super().__init__()
        self.applied = -1

    def apply(
        self,
        record: PartitionRecord | ForeignWrite,
        chunk: int = DEFAULT_LIMIT.points,
        size: int = DEFAULT_LIMIT.bytes,
        candidates: Candidates = None,
    ) -> list[One]:
        """Fold and commit a record, chunk after chunk; what each gave."""
        self.applied += 1
        cursor: Cursor | None = None
        found: list[One] = []
        while not found or cursor is not None:
            effects, one = fold_one(self, record, self.applied, cursor, ChunkLimit(chunk, size), candidates)
            # The cursor that a restart would read.
            cursor = None if effects.cursor is None else _reread(effects.cursor)
            self.commit(effects)
            found.append(one)
        return found

    def run(self, *operations: Operation, chunk: int = DEFAULT_LIMIT.points) -> list[Outcome]:
        """Apply one record of ``operations`` to SHARD; their outcomes."""
        return self.apply(points_record(*operations), chunk)[-1].outcomes

    def point(self, point_id: int) -> StoredPoint | None:
        """A point of SHARD."""
        value = self.stored[SHARD].get(PointId(point_id))
        return None if value is None else decode_point(value)

    def payloads(self) -> dict[int, Any]:
        """The payloads of SHARD's points; None where there is none."""
        decoded = {point_id: decode_point(value).payload for point_id, value in self.scan(SHARD, None)}
        return {
            int(point_id): msgspec.json.decode(payload) if payload else None for point_id, payload in decoded.items()
        }

    def versions(self) -> dict[int, int]:
        """The versions of SHARD's points."""
        return {int(point_id): decode_point(value).version for point_id, value in self.scan(SHARD, None)}


def _reread(cursor: Cursor) -> Cursor:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(cursor), type=Cursor)


def opened() -> MemoryState:
    """A state with SHARD, empty."""
    state = MemoryState()
    state.apply(OPENED)
    return state


def points_record(*operations: Operation) -> PointsRecord:
    """A record for SHARD."""
    return PointsRecord(uid=SHARD.uid, shard=SHARD.shard, ops=list(operations))


def floats(*values: float) -> bytes:
    """A vector's bytes."""
    return np.array(values, "<f4").tobytes()


def column(*rows: Sequence[float], of: Sequence[int] | None = None) -> VectorColumn:
    """A column with these vectors, for the points at the positions ``of``."""
    return DenseColumn(len(rows[0]), b"".join(floats(*row) for row in rows), None if of is None else list(of))


def upsert(payloads: dict[int, Any], **options: Any) -> Upsert:
    """Points by id with these payloads, each with the vector ``image`` [id, 1]."""
    ids = [to_wire(PointId(point_id)) for point_id in payloads]
    rows = [[float(point_id % 1000), 1.0] for point_id in payloads]
    vectors = {"image": column(*rows)} if rows else {}
    encoded = [b"" if payload is None else msgspec.json.encode(payload) for payload in payloads.values()]
    return Upsert(ids, vectors, encoded, **options)


def match(key: str, value: object) -> dict[str, Any]:
    """The filter for points whose ``key`` is ``value``."""
    return {"must": [{"key": key, "match": {"value": value}}]}
