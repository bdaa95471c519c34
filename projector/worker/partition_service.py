"""PartitionService: one points partition with everything that is folded from it: state, views, segments, feed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import structlog

from ingest.log import Log, LogRecord, Topic
from projector.fold.candidates import Candidates
from projector.folders import StateFolder
from projector.frames import Frame, ShardId
from projector.segments.builder import SegmentBuilder
from projector.segments.optimizer import Optimizer
from projector.segments.reader import Segment
from projector.segments.replacement import MakeReady
from projector.state.origin import check_log
from projector.state.store import PartitionState
from projector.view.follower import PartitionFollower
from projector.view.recovery import open_views
from projector.worker.following import FoldService
from projector.worker.partition_runner import PartitionRunner, ignore_frame
from projector.worker.relay import OpenRelay, Relay
from projector.worker.retry import keep_writable, when_room
from projector.worker.syncing import stop, sync_or_tell
from projector.worker.view_candidates import view_candidates
from schemas.records import PointsRecord

_logger = structlog.get_logger("headwater.worker")


class Feed(Protocol):
    """Tells the readers in other processes; ``projector.feed.partition_feed.PartitionFeed`` does."""

    def on_frame(self, frame: Frame) -> None:
        """Take in a frame of the runner."""
        ...

    def flush(self) -> None:
        """Let readers have what was taken in."""
        ...

    def resealed(self, shard: ShardId, offset: int) -> None:
        """A shard has a new manifest, which stands at ``offset``."""
        ...

    def paused(self, reason: str | None) -> None:
        """Why nothing is applied now; None: it is."""
        ...

    def close(self) -> None:
        """Write what waits; readers may go on reading it."""
        ...


class PartitionListener(Protocol):
    """What else uses a partition's state while it is open."""

    def add_partition(self, partition: int, state: PartitionState) -> None:
        """A partition is open, and its record that was half applied is finished."""
        ...

    async def remove_partition(self, partition: int) -> None:
        """It is about to be closed. Returns once its state is no longer used."""
        ...


@dataclass(frozen=True, slots=True)
class PartitionResources:
    """What the partitions of a process share.

    ``open_state`` opens a partition's state, and may wait until another process closes it. Feed and relay are opened
    for each partition, after its state.
    """

    log: Log
    folder: StateFolder
    builder: SegmentBuilder
    optimizer: Optimizer
    open_state: Callable[[int], Awaitable[PartitionState]]
    open_relay: OpenRelay
    open_feed: Callable[[int, PartitionState], Awaitable[Feed]] | None = None
    """None where all readers are this process's own."""
    listeners: Sequence[PartitionListener] = ()
    make_ready: MakeReady = Segment.load_graphs


class PartitionService(FoldService):
    """The one writer of its partition's state, views and feed."""

    def __init__(self, shared: PartitionResources, partition: int, state: PartitionState, relay: Relay) -> None:
        """See ``open``."""
        super().__init__(shared.log, Topic.POINTS, partition, state)
        self.state = state
        self.follower = PartitionFollower(partition, {}, state.applied)
        self._shared = shared
        self._relay = relay
        self._feed: Feed | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._runner = PartitionRunner(
            shared.log,
            partition,
            state,
            ignore_frame,
            reject=relay.reject,
            to_relay=relay.to_relay,
            candidates=self._candidates,
        )

    @classmethod
    async def open(cls, shared: PartitionResources, partition: int) -> Self:
        """Open a partition and bring its views to the applied offset; cancelling it leaves nothing open.

        Raises StateMismatchError, StateDamagedError, StateLockedError unless ``open_state`` waits, LogDamagedError,
        LogUnavailableError.
        """
        state = await shared.open_state(partition)
        try:
            await check_log(state, shared.log, Topic.POINTS, partition)
            service = cls(shared, partition, state, await shared.open_relay(partition, state))
        except BaseException:
            state.close()
            raise
        try:
            await service._open()
        except BaseException:
            await service.close()
            raise
        return service

    async def _open(self) -> None:
        # Frames of what is finished here are for nobody: views and feed begin with the state as it is after it.
        await self._runner.finish_pending()
        shared = self._shared
        self.follower = await open_views(self.partition, self.state, shared.folder, shared.builder, shared.make_ready)
        kv = self.state.kv
        kv.on_writable = self._on_writable
        self._on_writable(kv.unwritable)
        self._keeping = asyncio.create_task(keep_writable(kv, f"the state of points-{self.partition}"))
        self._runner.sink = self.follower.on_frame
        if shared.open_feed is not None:
            self._feed = await shared.open_feed(self.partition, self.state)
            self._feed.paused(kv.unwritable)
            self._runner.sink = self._on_frame
        shared.optimizer.add(self.partition, self.state, self.follower, shared.folder, self._on_resealed)
        self._runner.room = shared.optimizer.room(self.partition)
        for listener in shared.listeners:
            listener.add_partition(self.partition, self.state)

    def _on_writable(self, reason: str | None) -> None:
        self.follower.waiters.stall(reason)
        if self._feed is not None:
            self._feed.paused(reason)

    def _on_feed_written(self, trouble: str | None) -> None:
        if self._feed is not None:
            self._feed.paused(trouble or self.state.kv.unwritable)

    def _on_frame(self, frame: Frame) -> None:
        self.follower.on_frame(frame)
        if self._feed is not None:
            self._feed.on_frame(frame)

    async def _candidates(self, record: PointsRecord, applied: int) -> Candidates:
        return await view_candidates(self.follower, record, applied)

    async def apply_all(self, records: Sequence[LogRecord]) -> None:
        """As LogFollower; readers are told of all of them together."""
        await self._runner.apply_all(records)
        if self._feed is not None:
            await when_room(self._flush, f"the feed of points-{self.partition}", self._on_feed_written)
        if self._relay.to_relay is not None:
            self._relay.applied(records)

    async def _flush(self) -> None:
        if self._feed is not None:
            self._feed.flush()

    def _on_resealed(self, shard: ShardId, offset: int) -> None:
        try:
            if self._feed is not None:
                self._feed.resealed(shard, offset)
        except OSError as error:
            # It waits with what else the feed has to write, until that can be written.
            _logger.error("feed not written", partition=self.partition, reason=str(error))

    async def close(self) -> None:
        """As FoldService."""
        for listener in self._shared.listeners:
            await listener.remove_partition(self.partition)
        await self._shared.optimizer.release(self.partition)
        await stop(self._keeping)
        self._runner.sink = ignore_frame
        await self._relay.close()
        try:
            if self._feed is not None:
                self._feed.close()
        except OSError as error:
            # Derived from the state, and begun anew by whoever opens that next.
            _logger.error("feed not closed", partition=self.partition, reason=str(error))
        await sync_or_tell(self.state)
        self.state.close()
