"""What the tests of the worker share: records, a member of a consumer group in this process, what it folded."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import Log, Topic
from projector.catalog.follower import CatalogFollower
from projector.catalog.store import CatalogStore
from projector.folders import StateFolder
from projector.frames import Frame, ShardId
from projector.segments.builder import SegmentBuilder
from projector.segments.optimizer import Optimizer
from projector.state.digest import ShardDigest, digest_shard
from projector.state.store import PartitionState
from projector.worker.catalog_service import CatalogService
from projector.worker.catching_up import Partition
from projector.worker.faust.app import FoldApp
from projector.worker.following import FoldService
from projector.worker.partition_service import Feed, PartitionResources, PartitionService
from projector.worker.relay import no_relay, rejecter
from projector.worker.retry import when_unlocked
from projector.worker.worker import Worker
from schemas.records import ShardOpened, encode_record
from tests.projector.fold.memory_state import CONFIG, points_record, upsert

TIMEOUT_SECONDS = 240.0
"""Generous: it ends a test that hangs, and says nothing about speed."""
UID = 7


def within(test: Coroutine[Any, Any, None]) -> None:
    """Run a test; one that hangs fails."""
    asyncio.run(asyncio.wait_for(test, TIMEOUT_SECONDS))


async def passes() -> None:
    """Let every task come to where it waits for something else than its turn, however slow the machine is."""
    for _ in range(50):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Return once ``condition`` holds."""
    while not condition():
        await asyncio.sleep(0.005)


def opened(partition: int = 0, partitions: int = 1) -> bytes:
    """The marker that opens the shard of a partition: there is one shard for each."""
    shard_map = list(range(partitions))
    return encode_record(
        ShardOpened(seq=partition + 1, uid=UID, shard=partition, name="things", config=CONFIG, shard_map=shard_map)
    )


def point(number: int, partition: int = 0) -> bytes:
    """A record that makes or changes a point."""
    record = points_record(upsert({number % 1000: {"n": number}}))
    return encode_record(type(record)(uid=UID, shard=partition, ops=record.ops))


@dataclass
class Applied:
    """Which records were applied, by whom: final frames, as feeds of any worker were given them, in order.

    A frame may be of several records; its offset is the last one's.
    """

    frames: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    """(worker, partition, offset)"""
    flushes: int = 0

    def offsets(self, partition: int = 0) -> list[int]:
        """The offsets of frames of a partition, whoever applied them."""
        return [offset for _, number, offset in self.frames if number == partition]

    def workers(self, partition: int) -> set[str]:
        """Who applied records of a partition."""
        return {worker for worker, number, _ in self.frames if number == partition}


class RecordingFeed:
    def __init__(self, applied: Applied, worker: str, partition: int) -> None:
        self._applied = applied
        self._worker = worker
        self._partition = partition

    def on_frame(self, frame: Frame) -> None:
        if frame.final:
            self._applied.frames.append((self._worker, self._partition, frame.offset))

    def flush(self) -> None:
        self._applied.flushes += 1

    def resealed(self, shard: ShardId, offset: int) -> None:
        pass

    def paused(self, reason: str | None) -> None:
        pass

    def close(self) -> None:
        pass


@asynccontextmanager
async def partition_resources(
    log: Log, folder: Path, applied: Applied, worker: str = "worker"
) -> AsyncGenerator[PartitionResources]:
    """What partitions of a state folder stand on; a state that is open elsewhere is waited for."""
    states, builder = StateFolder(folder), SegmentBuilder()
    optimizer = Optimizer(builder)

    async def open_state(partition: int) -> PartitionState:
        return await when_unlocked(
            lambda: PartitionState.open(states.rocksdb(partition), log.identity), f"state of points-{partition}"
        )

    async def open_feed(partition: int, state: PartitionState) -> Feed:
        return RecordingFeed(applied, worker, partition)

    running = asyncio.create_task(optimizer.run())
    try:
        yield PartitionResources(log, states, builder, optimizer, open_state, no_relay(log), open_feed)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await builder.close()


def opener(resources: PartitionResources) -> Callable[[Partition], Awaitable[FoldService]]:
    """Opens catalog and points partitions."""

    async def open_catalog() -> FoldService:
        async def open_store() -> CatalogStore:
            return await when_unlocked(
                lambda: CatalogStore.open(resources.folder.catalog, resources.log.identity), "the catalog"
            )

        reject = rejecter(resources.log, Topic.CATALOG)
        service = await CatalogService.open(resources.log, open_store, CatalogFollower().publish, reject)
        await service.start()
        return service

    async def open_service(partition: Partition) -> FoldService:
        topic, number = partition
        return await (open_catalog() if topic is Topic.CATALOG else PartitionService.open(resources, number))

    return open_service


@dataclass
class Member:
    """A worker of a consumer group in this process. ``failure``: what ended it."""

    name: str
    worker: Worker
    app: FoldApp
    failure: BaseException | None = None

    def points(self) -> list[int]:
        """The points partitions it has open and caught up with."""
        behind = set(self.worker.behind)
        return [n for topic, n in self.worker.partitions if topic is Topic.POINTS and (topic, n) not in behind]


@asynccontextmanager
async def member(
    settings: KafkaSettings, folder: Path, applied: Applied, name: str = "first", group: str = "group"
) -> AsyncGenerator[Member]:
    """Join the group, over the state in ``folder``; at the end, let everything go and leave it."""
    log = await KafkaLog.open(settings)
    async with partition_resources(log, folder, applied, name) as resources:
        worker = Worker(opener(resources))
        app = FoldApp(settings, f"{settings.prefix}.{group}", worker)
        made = Member(name, worker, app)

        async def run(work: Coroutine[Any, Any, None]) -> None:
            try:
                await work
            except Exception as error:
                made.failure = made.failure or error

        tasks = [asyncio.create_task(run(work)) for work in (worker.failed(), app.run())]
        try:
            yield made
        finally:
            failure = made.failure
            await worker.close()
            await app.leave()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            made.failure = failure
            await log.close()


async def append_all(log: Log, values: Sequence[bytes], partition: int = 0) -> list[int]:
    """Append to a points partition, all at once, in order."""
    return await asyncio.gather(*[log.append(Topic.POINTS, partition, value) for value in values])


async def digests(log: Log, folder: Path, partition: int = 0) -> list[ShardDigest]:
    """The digests of a partition's shards; nothing may have it open."""
    state = PartitionState.open(StateFolder(folder).rocksdb(partition), log.identity)
    try:
        return [digest_shard(state, shard) for shard in sorted(state.shards())]
    finally:
        state.close()


async def folded_afresh(log: Log, folder: Path, partition: int = 0) -> list[ShardDigest]:
    """The digests of a partition that is folded by itself, from the beginning of the log."""
    async with partition_resources(log, folder, Applied()) as resources:
        service = await PartitionService.open(resources, partition)
        while await service.step():
            pass
        await service.close()
    return await digests(log, folder, partition)
