"""Count."""

from collections.abc import Sequence

from projector.view.shard_view import ShardView
from query_api.engine.selection import passing
from schemas.filters import Filter


def count(views: Sequence[ShardView], filter: Filter | None) -> int:
    """How many points match, exactly."""
    if filter is None:
        return sum(view.count for view in views)
    return sum(passing(part, filter).count(part) for view in views for part in view.parts)
