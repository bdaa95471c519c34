"""Recovery: from manifest, segments, state and the list of changed ids back to live shards.

All of it runs on a thread, in pieces: the loop has other partitions to serve, and requests to answer.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from projector.folders import StateFolder
from projector.frames import ShardId
from projector.segments.builder import SegmentBuilder
from projector.segments.errors import ManifestDamagedError, SegmentDamagedError
from projector.segments.manifest import Manifest, read_manifest
from projector.segments.optimizer import FULL_TAILS
from projector.segments.policy import SEAL_BYTES
from projector.segments.reader import Segment
from projector.segments.replacement import MakeReady
from projector.segments.shard_files import delete, delete_unknown, open_segments, rebuild_shard
from projector.slices import read_slices
from projector.state.store import PartitionState, TooManyChangedError
from projector.threads import to_its_end
from projector.view.follower import PartitionFollower
from projector.view.live_shard import LiveShard
from schemas.config import CollectionConfig
from schemas.ids import PointId

MAX_TAIL_POINTS = 400_000
"""A shard with more changes since its segments, as after a replay, gets segments first: a tail is memory."""
MAX_TAIL_BYTES = FULL_TAILS * SEAL_BYTES
"""So does one whose changed points take more: as much as holds up the fold of a partition that runs."""

_logger = structlog.get_logger("headwater.recovery")


async def open_views(
    partition: int,
    state: PartitionState,
    folder: StateFolder,
    builder: SegmentBuilder,
    make_ready: MakeReady = Segment.load_graphs,
) -> PartitionFollower:
    """The views of a partition's shards as of the applied offset. No record may be half applied.

    ``make_ready`` is called with each segment. Loading graphs holds the interpreter lock, so the first search would
    hold up everyone; where nobody searches, it is enough to check them.

    Segments that are missing, damaged, or older than the list of changed ids reaches back, are rebuilt from the state.
    """
    shards: dict[ShardId, LiveShard] = {}
    for shard, meta in state.shards().items():
        shards[shard] = await _open_shard(
            shard, meta.config, state, folder.shard(partition, shard), builder, make_ready
        )
    _delete_closed(folder.shards(partition), {folder.shard(partition, shard).name for shard in shards})
    return PartitionFollower(partition, shards, state.applied)


async def _open_shard(
    shard: ShardId,
    config: CollectionConfig,
    state: PartitionState,
    folder: Path,
    builder: SegmentBuilder,
    make_ready: MakeReady,
) -> LiveShard:
    def open_again(manifest: Manifest) -> LiveShard:
        return _live_shard(shard, config, state, open_segments(folder, manifest), manifest.offset, [], make_ready)

    try:
        return await to_its_end(asyncio.to_thread(_open_as_it_is, shard, config, state, folder, make_ready))
    except (ManifestDamagedError, SegmentDamagedError, TooManyChangedError) as error:
        _logger.warning("rebuilding segments from the state", folder=str(folder), reason=str(error))
    manifest = await rebuild_shard(builder, folder, config, state.scan(shard, None), state.applied)
    state.drop_changed(shard, manifest.offset)
    return await to_its_end(asyncio.to_thread(open_again, manifest))


def _open_as_it_is(
    shard: ShardId, config: CollectionConfig, state: PartitionState, folder: Path, make_ready: MakeReady
) -> LiveShard:
    """From what the manifest names and what changed since. Raises what has the shard rebuilt."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = _usable_manifest(shard, state, folder)
    segments = open_segments(folder, manifest)
    changed = state.changed_since(shard, manifest.offset, MAX_TAIL_POINTS)
    delete_unknown(folder, manifest)
    return _live_shard(shard, config, state, segments, manifest.offset, changed, make_ready)


def _live_shard(
    shard: ShardId,
    config: CollectionConfig,
    state: PartitionState,
    segments: Sequence[tuple[Segment, NDArray[np.bool_]]],
    offset: int,
    changed: Sequence[PointId],
    make_ready: MakeReady,
) -> LiveShard:
    for segment, _ in segments:
        make_ready(segment)
    live = LiveShard(shard, config, segments, offset)
    size = 0
    for some, points in read_slices(changed, lambda ids: state.points(shard, ids)):
        live.apply(some, points, state.applied)
        size += sum(len(point or b"") for point in points)
        if size > MAX_TAIL_BYTES:
            raise TooManyChangedError(f"points of more than {MAX_TAIL_BYTES} bytes changed since offset {offset}")
    live.publish(state.applied)
    return live


def _usable_manifest(shard: ShardId, state: PartitionState, folder: Path) -> Manifest:
    manifest = read_manifest(folder) or Manifest(-1, 1, [])
    if manifest.offset > state.applied:
        raise ManifestDamagedError(f"{folder}: stands at offset {manifest.offset}, the state at {state.applied}")
    if manifest.offset < state.sealed(shard):
        raise ManifestDamagedError(f"{folder}: stands at offset {manifest.offset}, changes before are not known")
    return manifest


def _delete_closed(shards: Path, known: set[str]) -> None:
    if not shards.exists():
        return
    for path in shards.iterdir():
        if path.name not in known:
            delete(path)
