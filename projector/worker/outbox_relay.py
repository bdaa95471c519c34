"""OutboxRelay: the router's part in one points partition, from the state's outbox to the homes' partitions.

How far it is, ``projector.worker.router_offsets`` knows.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Self

import structlog
from prometheus_client import Counter, Gauge

from ingest.foreign import Destination
from ingest.forwarding import Outgoing
from ingest.log import LogDamagedError, LogRecord, LogUnavailableError, Topic
from ingest.outcomes import Reject, Rejection
from ingest.router import Router
from projector.fold.window import decode
from projector.state.store import PartitionState
from projector.worker.rejected import belongs_there, records_at
from projector.worker.relay import OpenRelay, Spawn
from projector.worker.retry import when_available, when_room, when_writable
from projector.worker.router_offsets import RouterOffsets
from schemas.operations import Outcome

MOST_AT_ONCE = 1000
"""How many records are forwarded at once."""
READ_BYTES = 1 << 20
FEW_BYTES = 64 << 10
FEW = 8
"""Of so few records, most are read alone."""
KEPT_BYTES = 4 << 20
"""Of what was just applied, so much is kept in memory until it is forwarded; the rest is read again."""
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
        self._to_reject = deque(offset for offset, _ in state.outcomes_since(committed))
        """Rejected before this was opened, and perhaps not sent."""
        self._kept: dict[int, LogRecord] = {}
        self._kept_bytes = 0
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
        return max(self._committed, min([below, *islice(self._to_reject, 1)]))

    def to_relay(self, offset: int) -> bool:
        """Whether the record at ``offset`` is yet to be forwarded, or its rejection to be sent."""
        return offset >= self._begin

    def applied(self, records: Sequence[LogRecord]) -> None:
        """These records, which are in order, were applied, and the outbox may have entries for some of them."""
        if self._wake() and records and self._kept_bytes < KEPT_BYTES:
            entries = dict(self._state.outbox(records[0].offset, len(records)))
            outgoing = [record for record in records if record.offset in entries]
            self._kept.update((record.offset, record) for record in outgoing)
            self._kept_bytes += sum(record.size for record in outgoing)

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

    async def _reject_again(self) -> None:
        log, what = self._shared.router_offsets.log, f"records of points-{self._partition} to reject"
        while self._to_reject:
            some = list(islice(self._to_reject, MOST_AT_ONCE))
            records = await when_available(lambda some=some: records_at(log, self._partition, some), what)
            some = [offset for offset in some if not records or offset <= max(records)]
            found = [record for offset in some if (record := records.get(offset)) is not None and _is_to_send(record)]
            if found:
                await self.reject([Rejection(record, self._state.outcomes(record.offset)) for record in found])
            for offset in some:
                if offset not in records:
                    self._count_lost(offset)
                self._to_reject.popleft()

    async def _forward(self) -> None:
        await self._reject_again()
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
            self._read(entries), router.resolve([destination for _, destination in entries])
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
        self._forget(last)

    async def _write(self, write: Callable[[], None]) -> None:
        await when_writable(write, self._state.kv, _outbox_of(self._partition))

    def _count_lost(self, offset: int) -> None:
        LOST.labels(self._partition).inc()
        _logger.error("deleted before it was forwarded or rejected", partition=self._partition, offset=offset)

    def _forget(self, last: int) -> None:
        for offset in [offset for offset in self._kept if offset <= last]:
            self._kept_bytes -= self._kept.pop(offset).size

    async def _read(self, entries: Sequence[tuple[int, Destination]]) -> tuple[dict[int, LogRecord], int]:
        """The records from the first entry on, as far as they were kept or one read goes, by offset; and how far."""
        kept = takewhile(lambda record: record is not None, (self._kept.get(offset) for offset, _ in entries))
        if found := {record.offset: record for record in kept if record is not None}:
            return found, max(found)
        first, size = entries[0][0], READ_BYTES if len(entries) > FEW else FEW_BYTES
        log, place = self._shared.router_offsets.log, (Topic.POINTS, self._partition)
        what = f"records of points-{self._partition} to forward"
        records = await when_available(lambda: log.read(*place, first, size), what)
        if records:
            return {record.offset: record for record in records}, records[-1].offset
        start = await when_available(lambda: log.start_offset(*place), what)
        if start <= first:
            raise LogDamagedError(f"points-{self._partition} ends before offset {first}, which was applied")
        return {}, start - 1

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


def _is_to_send(record: LogRecord) -> bool:
    return belongs_there(record, readable=not isinstance(decode(record), Outcome))
