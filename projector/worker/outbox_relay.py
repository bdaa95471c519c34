"""OutboxRelay: the router's part in one points partition, from the state's outbox to the homes' partitions.

How far it is, ``projector.worker.router_offsets`` knows.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import structlog
from prometheus_client import Counter, Gauge

from ingest.foreign import Destination
from ingest.forwarding import Outgoing
from ingest.log import LogRecord, LogUnavailableError
from ingest.outcomes import Reject
from ingest.router import Router
from projector.state.store import PartitionState
from projector.worker.outbox_records import OutboxRecords
from projector.worker.relay import OpenRelay, Spawn
from projector.worker.retry import when_room, when_writable
from projector.worker.router_offsets import RouterOffsets
from projector.worker.unsent_rejections import UnsentRejections

MOST_AT_ONCE = 1000
"""How many records are forwarded at once."""
COMMIT_SECONDS = 1.0
KEPT_ALIVE_SECONDS = 3600.0
"""Kafka forgets what a group committed a week ago."""
CLOSING_SECONDS = 2.0
"""How long the last commit may take."""

ROUTED = Gauge("headwater_routed_offset", "The offset below which everything is forwarded or rejected", ["partition"])
LOST = Counter("headwater_router_lost_total", "Records deleted from the log before they were forwarded", ["partition"])

_logger = structlog.get_logger("headwater.router")


@dataclass(frozen=True, slots=True)
class RelayResources:
    """What the relay of all partitions of a process shares.

    ``router_offsets.log`` is read at other places than those the fold reads at, so it had better not be the same.
    """

    router_offsets: RouterOffsets
    router: Router
    reject: Reject
    spawn: Spawn
    commit_seconds: float = COMMIT_SECONDS


def outbox_relays(shared: RelayResources) -> OpenRelay:
    """The relay of partitions whose records are forwarded by ``shared``."""

    async def open_relay(partition: int, state: PartitionState) -> OutboxRelay:
        return await OutboxRelay.open(shared, partition, state)

    return open_relay


class OutboxRelay:
    """Implements ``relay.Relay``. Runs on one event loop, beside the fold, which never waits for it."""

    def __init__(self, shared: RelayResources, partition: int, state: PartitionState, committed: int) -> None:
        """See ``open``. ``committed`` is the router's committed offset."""
        self.reject = shared.reject
        self._shared = shared
        self._partition = partition
        self._state = state
        self._begin = committed
        self._committed = committed
        self._next = committed
        log = shared.router_offsets.log
        self._unsent = UnsentRejections(log, partition, state, committed)
        self._records = OutboxRecords(log, partition, state)
        self._more = asyncio.Event()
        self._more.set()
        self._gauge = ROUTED.labels(partition)
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(cls, shared: RelayResources, partition: int, state: PartitionState) -> Self:
        """Begin where the router's group stands, once Kafka says where that is. Raises LogDamagedError."""
        committed = await shared.router_offsets.offset_once_known(partition)
        await when_writable(lambda: state.forwarded(committed - 1), state.kv, _outbox_of(partition))
        relay = cls(shared, partition, state, committed)
        relay._tasks = [shared.spawn(relay._forward()), shared.spawn(relay._commit_now_and_then())]
        return relay

    @property
    def relayed(self) -> int:
        """Everything below this offset is forwarded or rejected."""
        first = self._state.outbox(0, 1)
        below = first[0][0] if first else self._state.applied + 1
        unsent = self._unsent.first
        return max(self._committed, below if unsent is None else min(below, unsent))

    def to_relay(self, offset: int) -> bool:
        """Whether the record at ``offset`` is yet to be forwarded, or its rejection to be sent."""
        return offset >= self._begin

    def applied(self, records: Sequence[LogRecord]) -> None:
        """These records, which are in order, were applied, and the outbox may have entries for some of them."""
        if self._wake():
            self._records.keep(records)

    def _wake(self) -> bool:
        """Go on forwarding if there is something to forward."""
        if self._state.newest_in_outbox < self._next:
            return False
        self._more.set()
        return True

    async def close(self) -> None:
        """Stop forwarding, and commit how far it is. Nothing is lost when that can't be done."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._commit(self.relayed)
        except (LogUnavailableError, TimeoutError) as error:
            _logger.warning("routed offset not committed", partition=self._partition, reason=str(error))

    async def _forward(self) -> None:
        await self._unsent.send(self.reject, self._count_lost)
        while True:
            entries = self._state.outbox(self._next, MOST_AT_ONCE)
            if entries:
                await self._forward_some(entries)
                continue
            self._more.clear()
            await self._more.wait()

    async def _forward_some(self, entries: Sequence[tuple[int, Destination]]) -> None:
        router = self._shared.router
        (records, end), found = await asyncio.gather(
            self._records.read(entries), router.resolve([destination for _, destination in entries])
        )
        resolved = [
            (offset, destination) for (offset, _), destination in zip(entries, found, strict=True) if offset <= end
        ]
        # The same after a crash or a loss of power, whatever the catalog says then.
        changed = [new for old, new in zip(entries, resolved, strict=False) if new != old]
        if changed:
            await self._write(lambda: self._state.resolved(changed))
            await when_room(self._state.sync, _outbox_of(self._partition))
        for offset in (offset for offset, _ in resolved if offset not in records):
            self._count_lost(offset)
        await router.forward_all([Outgoing(records[o], destination) for o, destination in resolved if o in records])
        last = resolved[-1][0]
        await self._write(lambda: self._state.forwarded(last))
        self._next = last + 1
        self._records.forget(last)

    async def _write(self, write: Callable[[], None]) -> None:
        await when_writable(write, self._state.kv, _outbox_of(self._partition))

    def _count_lost(self, offset: int) -> None:
        LOST.labels(self._partition).inc()
        _logger.error("deleted before it was forwarded or rejected", partition=self._partition, offset=offset)

    async def _commit_now_and_then(self) -> None:
        loop = asyncio.get_running_loop()
        last, told = loop.time(), ""
        while True:
            await asyncio.sleep(self._shared.commit_seconds)
            # For what was applied without a word: a record that was finished after a crash.
            self._wake()
            relayed, now = self.relayed, loop.time()
            if relayed == self._committed and now - last < KEPT_ALIVE_SECONDS:
                continue
            try:
                await self._commit(relayed)
                last, told = now, ""
            except LogUnavailableError as error:
                if str(error) != told:
                    _logger.warning("routed offset not committed", partition=self._partition, reason=str(error))
                told = str(error)

    async def _commit(self, relayed: int) -> None:
        await self._shared.router_offsets.commit(self._partition, relayed)
        self._committed = relayed
        await self._write(lambda: self._state.forwarded(relayed - 1))
        self._gauge.set(relayed)


def _outbox_of(partition: int) -> str:
    return f"the outbox of points-{partition}"
