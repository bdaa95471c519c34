"""Counting."""

from projector.view.shard_view import ShardView
from query_api.find.selection import passing
from schemas.filters import Filter


def count_passing(view: ShardView, filter: Filter | None) -> int:
    """How many points of a shard pass, exactly."""
    if filter is None:
        return view.count
    return sum(len(passing(part, filter).found(part)) for part in view.parts)
