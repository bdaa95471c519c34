"""What one record does, or a chunk of it, as if it were all that is folded: for states that are written by hand."""

from dataclasses import dataclass, field

from ingest.foreign import Destination, ForeignWrite
from projector.fold.candidates import Candidates
from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Cursor, Effects, ShardEffects, ShardMeta, StateReader
from projector.fold.fold import DEFAULT_LIMIT, Fold
from projector.frames import Event, ShardId
from projector.state.store import PartitionState
from schemas.ids import PointId
from schemas.operations import Outcome
from schemas.records import Origin, PartitionRecord


@dataclass
class One:
    """Of one shard at the most."""

    shard: ShardId | None = None
    points: dict[PointId, bytes | None] = field(default_factory=dict[PointId, bytes | None])
    meta: ShardMeta | None = None
    closed: bool = False
    marker_seq: int | None = None
    events: list[Event] = field(default_factory=list[Event])
    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    cursor: Cursor | None = None
    chunk: int = 0
    destination: Destination | None = None
    watermark: Origin | None = None

    def effects(self, offset: int) -> Effects:
        """The same, of the record at ``offset``."""
        shard = ShardEffects(self.shard, self.points, self.meta, self.closed, self.events) if self.shard else None
        final = self.cursor is None
        refused = final and any(not outcome.applied for outcome in self.outcomes)
        return Effects(
            offset,
            [] if shard is None else [shard],
            {offset: self.outcomes} if refused else {},
            [(offset, self.destination)] if final and self.destination is not None else [],
            {self.watermark.partition: self.watermark} if final and self.watermark is not None else {},
            self.marker_seq,
            self.cursor,
            self.chunk,
        )


def commit(state: PartitionState, one: One, offset: int, value: bytes | None) -> None:
    """Write what the record at ``offset``, or a chunk of it, does."""
    state.commit(one.effects(offset), value)


def fold_one(
    reader: StateReader,
    record: PartitionRecord | ForeignWrite,
    offset: int,
    cursor: Cursor | None = None,
    limit: ChunkLimit = DEFAULT_LIMIT,
    candidates: Candidates = None,
) -> tuple[Effects, One]:
    """What ``record`` does, or its next chunk: as the fold says it, and in short."""
    fold = Fold(reader, limit, cursor, candidates)
    assert fold.add(offset, record)
    effects = fold.effects()
    changed = [shard for shard in effects.shards if shard.points or shard.meta or shard.closed]
    one = One(outcomes=fold.outcomes, cursor=effects.cursor, marker_seq=effects.marker_seq, chunk=effects.chunk)
    for shard in changed:
        one.shard, one.meta, one.closed = shard.shard, shard.meta, shard.closed
        one.points.update(shard.points)
        one.events += shard.events
    one.destination = next((destination for _, destination in effects.outbox), None)
    one.watermark = next(iter(effects.watermarks.values()), None)
    return effects, one
