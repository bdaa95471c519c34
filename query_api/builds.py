"""How far the segments of a shard are, by its view."""

from projector.view.shard_view import ShardView
from query_api.ports import ShardBuild


def build_of(view: ShardView, *, up_to_date: bool, progress: float | None = None) -> ShardBuild:
    """What there is to tell of a shard."""
    shard = view.shard
    names = [f"{shard.uid}-{shard.shard}-{part.segment.name}" for part in view.segments]
    parts = zip([*names, f"{shard.uid}-{shard.shard}-tail"], view.parts, strict=False)
    return ShardBuild(tuple((name, part.alive_count) for name, part in parts), up_to_date, progress)
