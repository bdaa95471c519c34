"""Foreign records: the shards that are at home here get their parts, one after another; the router gets the rest."""

from collections.abc import Sequence
from typing import NamedTuple

from ingest.foreign import Destination, ForeignWrite
from ingest.outcomes import rejected
from ingest.sharding import parts_of
from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Cursor, Effects, StateReader
from projector.fold.outcomes import APPLIED
from projector.fold.shard_ops import fold_operations
from projector.frames import ShardId
from schemas.errors import HeadwaterError
from schemas.operations import Operation, Outcome


class ShardPart(NamedTuple):
    """What a shard gets of a record: operations, and which of the record's they are."""

    shard: ShardId
    indices: Sequence[int]
    operations: Sequence[Operation]


class HomeParts(NamedTuple):
    """A foreign record of so many ``operations``: ``here`` is for shards at home, ascending, the rest for a router."""

    operations: int
    here: Sequence[ShardPart]
    destination: Destination | None


def home_parts(reader: StateReader, write: ForeignWrite) -> HomeParts | Effects:
    """What ``write`` means where it stands; its effects where nothing of it is applied.

    A single point that is not at home is left as it is, for its home to judge. A record that breaks a rule under the
    collection's configuration is rejected whole, and nothing of it goes to the router.
    """
    home = reader.home(write.collection)
    if home is None:
        return Effects(outcomes=[APPLIED], destination=Destination(write.collection))
    shard = write.home(len(home.shard_map))
    if shard is not None and shard not in home.shards:
        return Effects(outcomes=[APPLIED], destination=Destination(write.collection, home.uid, [shard]))
    try:
        operations = write.operations(home.config)
    except HeadwaterError as error:
        return Effects(outcomes=[rejected(error)])
    here: list[ShardPart] = []
    away: list[int] = []
    for number, part in parts_of(operations, len(home.shard_map)).items():
        if number in home.shards:
            here.append(ShardPart(ShardId(home.uid, number), [i for i, _ in part], [op for _, op in part]))
        else:
            away.append(number)
    return HomeParts(len(operations), here, Destination(write.collection, home.uid, away) if away else None)


def fold_foreign(
    reader: StateReader, parts: HomeParts, offset: int, cursor: Cursor | None, limit: ChunkLimit
) -> Effects:
    """The effects of a foreign record, or of its next chunk: at least one chunk for each shard at home here.

    An operation's outcome is the first rejection among its parts at home.
    """
    begin = cursor or Cursor(offset, op=0, chunk=0, outcomes=[], merged=[APPLIED] * parts.operations)
    if not parts.here:
        return Effects(outcomes=begin.merged, destination=parts.destination)
    shard, indices, operations = parts.here[begin.part]
    meta = reader.shard(shard)
    if meta is None:
        raise AssertionError("a shard at home has a meta")
    effects = fold_operations(reader, shard, meta, operations, begin, limit)
    if effects.cursor is not None:
        return effects
    effects.outcomes = merge_outcomes(begin.merged, indices, effects.outcomes)
    if begin.part + 1 < len(parts.here):
        effects.cursor = Cursor(
            offset, op=0, chunk=begin.chunk + 1, outcomes=[], part=begin.part + 1, merged=effects.outcomes
        )
    else:
        effects.destination = parts.destination
    return effects


def merge_outcomes(merged: Sequence[Outcome], indices: Sequence[int], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """``merged`` with the outcomes of another shard, for the operations at ``indices``: the first rejection counts."""
    found = list(merged)
    for index, outcome in zip(indices, outcomes, strict=True):
        if found[index].applied:
            found[index] = outcome
    return found
