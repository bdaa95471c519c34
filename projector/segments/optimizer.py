"""The optimizer: seals tails, merges and vacuums segments, builds graphs; for all live shards of a process."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import structlog

from projector.frames import ShardId
from projector.segments import metrics
from projector.segments.errors import BuildFailedError, SegmentDamagedError
from projector.segments.meta import unfit_reason
from projector.segments.policy import QUIET_SECONDS, SEAL_BYTES, SEAL_ROWS, Plan, is_up_to_date, plan_graph, plan_plain
from projector.segments.reader import Segment
from projector.segments.replacement import Builder, Built, MakeReady, Replacement, SealedState, publish
from projector.segments.scrubber import Scrubber
from projector.segments.shard_files import condemn, delete
from projector.segments.shard_work import ShardWork, begin_work
from projector.state.errors import StateDamagedError
from projector.view.live_shard import LiveShard

POLL_SECONDS = 0.2
FLUSHED_BYTES = 4 << 20
"""A graph comes after many changes. What they left in the state's memory is given back if it takes so much."""
_STAGED_SECONDS = 0.01
FULL_TAILS = 20
"""A tail with so many times what makes it due for sealing holds up the fold of its partition, which is faster."""

log = structlog.get_logger("headwater")


class LiveShards(Protocol):
    """The live shards of one partition; a follower is one."""

    @property
    def shards(self) -> Mapping[ShardId, LiveShard]:
        """Those that exist now."""
        ...


class ShardFolders(Protocol):
    """Where shards have their files."""

    def shard(self, partition: int, shard: ShardId) -> Path:
        """One shard's folder, whether it exists or not."""
        ...


OnPublished = Callable[[ShardId, int], None]
"""Told that a shard has a new manifest, and the offset it stands at."""


def tell_nobody(shard: ShardId, offset: int) -> None:
    """For partitions whose segments nobody else reads."""


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True, eq=False)
class _Partition:
    number: int
    state: SealedState
    live: LiveShards
    folders: ShardFolders
    on_published: OnPublished
    works: dict[ShardId, ShardWork] = field(default_factory=dict[ShardId, ShardWork])
    unread: set[ShardId] = field(default_factory=set[ShardId])
    """Shards whose manifest could not be read, which was logged."""
    builds: set[asyncio.Task[Built]] = field(default_factory=set[asyncio.Task[Built]])
    idle: asyncio.Event = field(default_factory=_set_event)
    """Set while nothing works on the partition's files."""
    room: asyncio.Event = field(default_factory=_set_event)
    """Cleared while some tail of the partition is full."""


class Optimizer:
    """Works on one event loop. One plain and one graph build run at a time, over all shards.

    The folder of a shard that is closed is deleted.
    """

    def __init__(
        self,
        builder: Builder,
        clock: Callable[[], float] = time.monotonic,
        make_ready: MakeReady = Segment.load_graphs,
    ) -> None:
        """``make_ready`` says what a segment needs that was built: where nobody searches, no graphs in memory."""
        self._make_ready = make_ready
        self._builder = builder
        self._clock = clock
        self._partitions: list[_Partition] = []

    def add(
        self,
        partition: int,
        state: SealedState,
        live: LiveShards,
        folders: ShardFolders,
        on_published: OnPublished = tell_nobody,
    ) -> None:
        """Look after a partition's shards: those that are there and those that come."""
        self._partitions.append(_Partition(partition, state, live, folders, on_published))

    def remove(self, partition: int) -> None:
        """Look after a partition no longer. Its files stay; a build that runs for it is dropped when it is done."""
        for leaving in self._partitions:
            if leaving.number == partition:
                leaving.room.set()  # nobody looks at its tails any more
        self._partitions = [p for p in self._partitions if p.number != partition]

    async def release(self, partition: int) -> None:
        """As ``remove``, and stop its builds: nothing works on its files any more, somebody else may."""
        leaving = [p for p in self._partitions if p.number == partition]
        self.remove(partition)
        for left in leaving:
            for build in left.builds:
                build.cancel()
            await left.idle.wait()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            group.create_task(self._serve(graph=False))
            group.create_task(self._serve(graph=True))
            group.create_task(Scrubber(self.segments, self.condemn).run())

    def room(self, partition: int) -> asyncio.Event:
        """Set unless some tail of a partition that was added is so full that sealing has to catch up first."""
        return next(mine.room for mine in self._partitions if mine.number == partition)

    def up_to_date(self, shard: ShardId) -> bool:
        """Whether the shard is whole and has all graphs and columns that are asked for; unknown shards are."""
        work = self._find(shard)
        if work is None:
            return True
        tail = work.tail_facts(self._clock())
        return not work.condemned and is_up_to_date(work.segment_facts(as_idle=True), tail, work.live.view.config)

    def progress(self, shard: ShardId) -> float | None:
        """The fraction of the graph build that runs for this shard; None when none does."""
        work = self._find(shard)
        return None if work is None else work.progress

    def error(self, shard: ShardId) -> str | None:
        """Which segment of the shard is damaged, or why its last build failed; None when all is well."""
        work = self._find(shard)
        if work is None:
            return None
        damage = next(iter(work.condemned.values()), None)
        return work.backoff[True].reason or work.backoff[False].reason or damage

    def segments(self) -> Iterator[Segment]:
        """Those in use now that aren't known to be damaged."""
        for partition in self._partitions:
            for work in partition.works.values():
                yield from (p.segment for p in work.live.view.segments if p.segment.name not in work.condemned)

    def condemn(self, segment: Segment, error: SegmentDamagedError) -> None:
        """Mark a segment as damaged and have it rebuilt from the state, unless it was replaced already."""
        for partition in self._partitions:
            for work in partition.works.values():
                if any(part.segment is segment for part in work.live.view.segments):
                    self._condemn(work, segment.folder, error.message)

    def observe(self) -> None:
        """Notice new and closed shards, the age of what isn't sealed, and whether there is room for more."""
        now = self._clock()
        for partition in self._partitions:
            full = False
            self._notice_shards(partition, now)
            for work in partition.works.values():
                self._report_damage(work)
                tail = work.tail_facts(now)
                over = tail.rows >= FULL_TAILS * SEAL_ROWS or tail.bytes >= FULL_TAILS * SEAL_BYTES
                # Waiting helps only while sealing works; when it fails the log is still the place for what comes.
                full = full or (over and not work.backoff[False].failures)
            if full:
                partition.room.clear()
            else:
                partition.room.set()

    async def step(self, *, graph: bool) -> bool:
        """Carry out the most pressing plan of a kind, if there is one. Returns whether there was."""
        self.observe()
        now = self._clock()
        best: tuple[tuple[bool, int], _Partition, ShardWork, Plan] | None = None
        for partition in self._partitions:
            for work in partition.works.values():
                if work.backoff[graph].waits(now):
                    continue
                tail = work.tail_facts(now)
                plan = (plan_graph if graph else plan_plain)(work.segment_facts(), tail, work.live.view.config)
                if not graph and (damaged := work.to_rebuild()) is not None:
                    plan = Plan((damaged,), rebuild=True)
                if plan is None and work.published_swaps < work.swaps and not work.building:
                    plan = Plan()  # its manifest could not be written
                if plan is not None and (best is None or (plan.rebuild, tail.rows) > best[0]):
                    best = ((plan.rebuild, tail.rows), partition, work, plan)
        if best is None:
            return False
        _, partition, work, plan = best
        await self._carry_out(partition, work, plan, graph)
        return True

    async def _watch(self) -> None:
        while True:
            self.observe()
            await asyncio.sleep(POLL_SECONDS)

    async def _serve(self, *, graph: bool) -> None:
        while True:
            if not await self.step(graph=graph):
                if self._is_at_rest():
                    self._builder.let_go(graph=graph)
                await asyncio.sleep(POLL_SECONDS)

    def _is_at_rest(self) -> bool:
        """Whether no shard changes: what builds takes tens of megabytes, and a tenth of a second to come back."""
        now = self._clock()
        return all(work.quiet(now) >= QUIET_SECONDS for p in self._partitions for work in p.works.values())

    async def _carry_out(self, partition: _Partition, work: ShardWork, plan: Plan, graph: bool) -> None:
        replacement = Replacement(work, plan, partition.state, self._make_ready)
        kind = "graph" if graph else "plain"
        started = self._clock()
        work.busy.update(plan.segments)
        work.building += 1
        partition.idle.clear()
        try:
            built = await self._build(partition, replacement, work)
            while self._is_current(partition, work) and not replacement.ready():
                await asyncio.sleep(_STAGED_SECONDS)
            if built is None or not self._is_current(partition, work):
                replacement.discard()
                return
            self._swap(work, plan, replacement, built)
            # It would keep the tails that are sealed until the manifest is written.
            del replacement
            if graph:
                await partition.state.flush(FLUSHED_BYTES)
            published = await publish(work, partition.state)
        except (BuildFailedError, SegmentDamagedError, StateDamagedError, OSError) as error:
            self._on_failure(partition, work, plan, graph, error)
        else:
            work.backoff[graph].succeeded()
            metrics.built(kind, self._clock() - started, built.result)
            if self._is_current(partition, work):
                partition.on_published(work.shard, published)
        finally:
            work.busy.difference_update(plan.segments)
            work.building -= 1
            if not any(work.building for work in partition.works.values()):
                partition.idle.set()
            if graph:
                self._on_progress(work, None)

    async def _build(self, partition: _Partition, replacement: Replacement, work: ShardWork) -> Built | None:
        """What was built; None when the partition was released meanwhile."""
        build = asyncio.create_task(replacement.build(self._builder, lambda f: self._on_progress(work, f)))
        partition.builds.add(build)
        try:
            return await build
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and not task.cancelling():
                return None  # not this was cancelled, but the build, by ``release``
            raise
        finally:
            build.cancel()
            partition.builds.discard(build)

    def _swap(self, work: ShardWork, plan: Plan, replacement: Replacement, built: Built) -> None:
        try:
            replacement.swap(built.segment, self._clock())
        except BuildFailedError:
            replacement.discard()
            raise
        for name in plan.segments:
            if work.condemned.pop(name, None) is not None:
                log.info("segment rebuilt", damaged=str(work.folder / name), slots=built.slots)

    def _is_current(self, partition: _Partition, work: ShardWork) -> bool:
        return partition in self._partitions and partition.live.shards.get(work.shard) is work.live

    def _on_progress(self, work: ShardWork, fraction: float | None) -> None:
        work.progress = fraction
        metrics.GRAPH_PROGRESS.set(fraction or 0.0)

    def _on_failure(self, partition: _Partition, work: ShardWork, plan: Plan, graph: bool, error: Exception) -> None:
        if not self._is_current(partition, work):
            return  # the shard was closed, and its folder deleted, under the build
        metrics.BUILD_FAILURES.labels("graph" if graph else "plain").inc()
        pause = work.backoff[graph].failed(self._clock(), str(error))
        log.error(
            "segment build failed",
            shard=str(work.folder),
            segments=plan.segments,
            reason=str(error),
            next_try_in_seconds=pause,
        )
        if isinstance(error, SegmentDamagedError) and error.folder is not None:
            self._condemn(work, Path(error.folder), error.message)

    def _condemn(self, work: ShardWork, folder: Path, why: str) -> None:
        """Leave a damaged segment out of builds, and have it rebuilt. Until then readers open it."""
        if folder.name in work.condemned:
            return
        work.condemned[folder.name] = f"a segment is damaged, and being rebuilt from the state: {why}"
        metrics.DAMAGED.inc()
        log.error("segment damaged; it is rebuilt from the state", segment=str(folder), why=why)
        try:
            condemn(folder)
        except OSError as error:
            log.error("segment can't be marked as damaged", segment=str(folder), why=str(error))

    def _report_damage(self, work: ShardWork) -> None:
        for part in work.live.view.segments:
            segment = part.segment
            if segment.damaged_graphs and segment.name not in work.reported:
                work.reported.add(segment.name)
                log.warning("graph damaged; building it anew", segment=str(segment.folder), why=segment.damaged_graphs)

            elif (why := unfit_reason(segment.meta.vectors)) and segment.name not in work.reported:
                work.reported.add(segment.name)
                log.warning("graph left out", segment=str(segment.folder), why=why)

    def _notice_shards(self, partition: _Partition, now: float) -> None:
        shards = partition.live.shards
        for shard, work in list(partition.works.items()):
            if shards.get(shard) is not work.live and not work.building:
                del partition.works[shard]
                if shard not in shards:
                    delete(work.folder)
        for shard, live in shards.items():
            if shard in partition.works:
                continue
            folder = partition.folders.shard(partition.number, shard)
            try:
                partition.works[shard] = begin_work(shard, live, folder, now)
            except OSError as error:
                if shard not in partition.unread:
                    log.error("manifest can't be read; it is tried again", shard=str(folder), reason=str(error))
                partition.unread.add(shard)
            else:
                partition.unread.discard(shard)

    def _find(self, shard: ShardId) -> ShardWork | None:
        return next((p.works[shard] for p in self._partitions if shard in p.works), None)
