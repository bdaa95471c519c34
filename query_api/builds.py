"""How far the segments of a shard are, by its view."""

from projector.view.shard_view import ShardView
from query_api.ports import ShardBuild


def build_of(view: ShardView, *, up_to_date: bool, progress: float | None = None) -> ShardBuild:
    """What there is to tell of a shard."""
    shard = view.shard
    parts = [(part.segment.name, part.alive_count) for part in view.segments]
    if view.tail_rows:
        parts.append(("tail", sum(tail.alive_count for tail in view.tails)))
    of_parts = tuple((f"{shard.uid}-{shard.shard}-{name}", alive) for name, alive in parts)
    return ShardBuild(of_parts, up_to_date, progress)
