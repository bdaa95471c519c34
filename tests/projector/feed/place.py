"""A state folder with a feed and segments made by hand, and readers of it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from shutil import rmtree
from typing import TypeVar

from projector.feed.catalog_follower import CatalogFeedFollower
from projector.feed.partition_feed import PartitionFeed
from projector.feed.partition_follower import PartitionFeedFollower
from projector.folders import StateFolder
from projector.frames import Changes, Frame, ShardId
from projector.segments.build import build_segment
from projector.segments.manifest import Manifest, SegmentEntry, write_manifest
from projector.segments.shard_files import segment_name
from projector.segments.spec import BuildSpec
from projector.segments.spill import write_spill
from schemas.ids import PointId
from schemas.points import encode_point
from tests.projector.feed.fake_state import A, State
from tests.projector.feed.sample import CONFIG, IDENTITY

TIMEOUT_SECONDS = 240.0
FollowerT = TypeVar("FollowerT", CatalogFeedFollower, PartitionFeedFollower)


def stored(version: int) -> bytes:
    return encode_point(version, [], b'{"v":%d}' % version)


def upsert(offset: int, *ids: int, shard: ShardId = A, final: bool = True) -> Frame:
    return Frame(offset, [Changes(shard, list(ids), [stored(offset)] * len(ids))], final=final)


class Points(State):
    """A state in which every point has the version of the offset at which it changed."""

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> Sequence[bytes | None]:
        return [stored(self.changed[shard][i]) for i in ids]


class Place:
    """A state folder, and the feed in it."""

    def __init__(self, root: Path) -> None:
        self.folder = StateFolder(root)
        self.numbers = iter(range(1, 100))

    async def feed(
        self, state: State | None = None, file_bytes: int = 1 << 20, identity: str = IDENTITY
    ) -> PartitionFeed:
        return await PartitionFeed.open(self.folder, 0, identity, state or State(), file_bytes=file_bytes)

    def seal(
        self,
        offset: int,
        versions: dict[int, int],
        usable_from: int = -1,
        number: int | None = None,
        shard: ShardId = A,
    ) -> None:
        """Let a shard have one segment, of points with these versions."""
        folder = self.folder.shard(0, shard)
        folder.mkdir(parents=True, exist_ok=True)
        number = next(self.numbers) if number is None else number
        target, spill = folder / segment_name(number), folder / "spill"
        with write_spill(spill) as writer:
            writer.add([PointId(i) for i in versions], [stored(version) for version in versions.values()])
        rmtree(target, ignore_errors=True)
        build_segment(BuildSpec(str(target), CONFIG, [str(spill)], []), lambda fraction: None)
        entry = SegmentEntry(target.name, len(versions))
        write_manifest(folder, Manifest(offset, number + 1, [entry], usable_from=usable_from))

    def reader(self) -> AbstractAsyncContextManager[PartitionFeedFollower]:
        return following(PartitionFeedFollower(self.folder, 0, IDENTITY))


@asynccontextmanager
async def following(follower: FollowerT) -> AsyncGenerator[FollowerT]:
    """Runs a follower, which must not end by itself."""
    task = asyncio.create_task(follower.run())
    try:
        yield follower
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        follower.close()


def versions(follower: PartitionFeedFollower, shard: ShardId = A) -> dict[int, int]:
    view = follower.shards[shard].view
    found: dict[int, int] = {}
    for part in view.parts:
        for slot in range(part.size):
            if part.alive_mask()[slot]:
                found[part.id_at(slot)] = part.version_at(slot)
    return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not condition():
            await asyncio.sleep(0.001)
