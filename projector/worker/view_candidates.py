"""Candidates from the views of the process that folds, for operations by filter."""

import asyncio
from collections.abc import Awaitable, Callable

from projector.fold.candidates import Candidates
from projector.frames import ShardId
from projector.threads import to_its_end
from projector.view.candidates import candidates
from projector.view.follower import PartitionFollower
from projector.view.shard_view import ShardView
from schemas.errors import HeadwaterError
from schemas.filters import Filter, parse_filter
from schemas.filters.weight import weigh
from schemas.operations import UpdateVectors, Upsert
from schemas.records import PointsRecord

_LOOKED_UP, _UNREAD, _COMPARED = 100, 64, 2_000_000

FindCandidates = Callable[[PointsRecord, int], Awaitable[Candidates]]
"""The candidates of a record's first operation in the state as it is at an offset."""


async def no_candidates(record: PointsRecord, applied: int) -> Candidates:
    """For who has no views: all points are looked at."""
    return None


async def view_candidates(follower: PartitionFollower, record: PointsRecord, applied: int) -> Candidates:
    """The points that the first operation's filter may match, when views show the state as of ``applied``."""
    op = record.ops[0] if record.ops else None
    live = follower.shards.get(ShardId(record.uid, record.shard))
    if op is None or isinstance(op, Upsert | UpdateVectors) or op.filter is None or live is None:
        return None
    if follower.visible != applied or live.has_staged:
        return None
    try:
        condition = parse_filter(op.filter)
    except HeadwaterError:
        return None  # the fold rejects it, with the reason
    view = live.view
    if _is_short(view, condition):
        return candidates(view, condition)
    # The rows of a tail may have yet to be read into columns, and filters may be long.
    return await to_its_end(asyncio.to_thread(candidates, view, condition))


def _is_short(view: ShardView, condition: Filter) -> bool:
    """Whether columns say it within a millisecond or two: a hand-over to a thread takes longer on a busy machine."""
    weight = weigh(condition)
    looked_up = (weight.tests + weight.members + weight.looks) * sum(part.pieces() for part in view.parts)
    unread = sum(part.unread_rows() for part in view.parts)
    return looked_up <= _LOOKED_UP and unread <= _UNREAD and view.count * weight.tests <= _COMPARED
