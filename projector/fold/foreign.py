"""Foreign records: the shards that are at home here get their parts, one after another; the rest is elsewhere."""

from collections.abc import Sequence

from ingest.foreign import Elsewhere, ForeignWrite
from ingest.outcomes import rejected
from ingest.sharding import parts_of
from projector.fold.effects import Cursor, Effects, StateReader
from projector.fold.outcomes import APPLIED
from projector.fold.shard_ops import fold_operations
from projector.frames import ShardId
from schemas.errors import HeadwaterError
from schemas.operations import Outcome


def fold_foreign(reader: StateReader, write: ForeignWrite, offset: int, cursor: Cursor | None, chunk: int) -> Effects:
    """The effects of ``write``, or of its next chunk: at least one chunk for each shard at home here.

    A single point that is not at home is left as it is, for its home to judge.
    An operation's outcome is the first rejection among its parts at home. A record that breaks a rule under the
    collection's configuration is rejected whole, and nothing of it is elsewhere.
    """
    home = reader.home(write.collection)
    if home is None:
        return Effects(outcomes=[APPLIED], elsewhere=Elsewhere(write.collection))
    shard = write.home(len(home.shard_map))
    if shard is not None and shard not in home.shards:
        return Effects(outcomes=[APPLIED], elsewhere=Elsewhere(write.collection, home.uid, [shard]))
    try:
        operations = write.operations(home.config)
    except HeadwaterError as error:
        return Effects(outcomes=[rejected(error)])
    parts = parts_of(operations, len(home.shard_map))
    here = [shard for shard in parts if shard in home.shards]
    away = [shard for shard in parts if shard not in home.shards]
    elsewhere = Elsewhere(write.collection, home.uid, away) if away else None
    begin = cursor or Cursor(offset, op=0, chunk=0, outcomes=[], merged=[APPLIED] * len(operations))
    if not here:
        return Effects(outcomes=begin.merged, elsewhere=elsewhere)
    part = parts[here[begin.part]]
    shard = ShardId(home.uid, here[begin.part])
    meta = reader.shard(shard)
    if meta is None:
        raise AssertionError("a shard at home has a meta")
    effects = fold_operations(reader, shard, meta, [operation for _, operation in part], begin, chunk)
    if effects.cursor is not None:
        return effects
    effects.outcomes = merge_outcomes(begin.merged, [index for index, _ in part], effects.outcomes)
    if begin.part + 1 < len(here):
        effects.cursor = Cursor(
            offset, op=0, chunk=begin.chunk + 1, outcomes=[], part=begin.part + 1, merged=effects.outcomes
        )
    else:
        effects.elsewhere = elsewhere
    return effects


def merge_outcomes(merged: Sequence[Outcome], indices: Sequence[int], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """``merged`` with the outcomes of another shard, for the operations at ``indices``: the first rejection counts."""
    found = list(merged)
    for index, outcome in zip(indices, outcomes, strict=True):
        if found[index].applied:
            found[index] = outcome
    return found
