"""What a record means where it stands: the parts of it for shards that are at home here, and what is for the router."""

from collections.abc import Sequence
from typing import NamedTuple

from ingest.foreign import Destination, ForeignWrite
from ingest.outcomes import rejected
from ingest.sharding import parts_of
from projector.fold.effects import Home
from projector.fold.outcomes import APPLIED
from projector.frames import ShardId
from schemas.config import CollectionConfig
from schemas.errors import HeadwaterError
from schemas.operations import Operation, Outcome
from schemas.records import Origin, PointsRecord


class ShardPart(NamedTuple):
    """What a shard gets of a record: operations, and which of the record's they are."""

    shard: ShardId
    indices: Sequence[int]
    operations: Sequence[Operation]


class Parts(NamedTuple):
    """A record of so many ``operations``: ``here`` is for shards at home, ascending, the rest for the router.

    ``origin`` is a forwarded record's; ``config`` what a foreign record's operations were checked with.
    """

    operations: int
    here: Sequence[ShardPart] = ()
    destination: Destination | None = None
    origin: Origin | None = None
    config: CollectionConfig | None = None


def parts_of_points(record: PointsRecord) -> Parts:
    """A canonical record is for one shard."""
    shard = ShardId(record.uid, record.shard)
    return Parts(len(record.ops), [ShardPart(shard, range(len(record.ops)), record.ops)], origin=record.origin)


def parts_of_foreign(home: Home | None, write: ForeignWrite) -> Parts | Outcome:
    """The parts of a record of the collection ``home``, None when none of its shards is at home here.

    A single point that is not at home is left as it is, for its home to judge. A record that breaks a rule under the
    collection's configuration is rejected whole, with the outcome, and nothing of it goes to the router.
    """
    if home is None:
        return Parts(1, destination=Destination(write.collection))
    shard = write.home(len(home.shard_map))
    if shard is not None and shard not in home.shards:
        return Parts(1, destination=Destination(write.collection, home.uid, [shard]))
    try:
        operations = write.operations(home.config)
    except HeadwaterError as error:
        return rejected(error)
    here: list[ShardPart] = []
    away: list[int] = []
    for number, part in parts_of(operations, len(home.shard_map)).items():
        if number in home.shards:
            here.append(ShardPart(ShardId(home.uid, number), [i for i, _ in part], [op for _, op in part]))
        else:
            away.append(number)
    destination = Destination(write.collection, home.uid, away) if away else None
    return Parts(len(operations), here, destination, config=home.config)


def merge_outcomes(
    merged: Sequence[Outcome], part: ShardPart, outcomes: list[Outcome], operations: int
) -> list[Outcome]:
    """``merged``, of a record's shards so far, none at first, with those of ``part``: the first rejection counts."""
    if not merged and len(outcomes) == operations:
        return outcomes
    found = list(merged) or [APPLIED] * operations
    for index, outcome in zip(part.indices, outcomes, strict=True):
        if found[index].applied:
            found[index] = outcome
    return found
