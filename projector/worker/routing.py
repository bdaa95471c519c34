"""PartitionRouting: the router's part in one points partition, from the state's outbox to the homes' partitions.

How far it is, ``projector.worker.routed`` knows.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Self

import structlog
from prometheus_client import Counter, Gauge

from ingest.foreign import Elsewhere
from ingest.forwarding import Stray
from ingest.log import LogDamagedError, LogRecord, LogUnavailableError, Topic
from ingest.outcomes import Reject, Rejection
from ingest.router import Router
from projector.fold.window import decode
from projector.rejected import belongs_there, records_at
from projector.state.store import PartitionState
from projector.worker.patience import when_available, when_room, when_writable
from projector.worker.routed import Routed
from projector.worker.routing_port import OpenRouting, Spawn
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
class RoutingOffice:
    """What the routing of all partitions of a process shares.

    ``routed.log`` is read at other places than those the fold reads at, so it had better not be the same.
    """

    routed: Routed
    router: Router
    reject: Reject
    spawn: Spawn
    commit_seconds: float = COMMIT_SECONDS


def routing_through(office: RoutingOffice) -> OpenRouting:
    """The routing of partitions whose records are forwarded by ``office``."""

    async def open_routing(partition: int, state: PartitionState) -> PartitionRouting:
        return await PartitionRouting.open(office, partition, state)

    return open_routing


class PartitionRouting:
    """Implements ``routing_port.Routing``. Runs on one event loop, beside the fold, which never waits for it."""

    def __init__(self, office: RoutingOffice, partition: int, state: PartitionState, committed: int) -> None:
        """See ``open``. ``committed`` is the router's committed offset."""
        self.reject = office.reject
        self._office = office
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
    async def open(cls, office: RoutingOffice, partition: int, state: PartitionState) -> Self:
        """Begin where the router's group stands, once Kafka says where that is. Raises LogDamagedError."""
        committed = await office.routed.offset_once_known(partition)
        await when_writable(lambda: state.forwarded(committed - 1), state.kv, _outbox_of(partition))
        routing = cls(office, partition, state, committed)
        routing._tasks = [office.spawn(routing._forward()), office.spawn(routing._commit_now_and_then())]
        return routing

    @property
    def routed(self) -> int:
        """Everything below this offset is forwarded or rejected."""
        first = self._state.elsewhere(0, 1)
        below = first[0][0] if first else self._state.applied + 1
        return max(self._committed, min([below, *islice(self._to_reject, 1)]))

    def route(self, offset: int) -> bool:
        """Whether the record at ``offset`` is yet to be forwarded, or its rejection to be sent."""
        return offset >= self._begin

    def applied(self, records: Sequence[LogRecord]) -> None:
        """These records, which are in order, were applied, and the outbox may have entries for some of them."""
        if self._wake() and records and self._kept_bytes < KEPT_BYTES:
            entries = dict(self._state.elsewhere(records[0].offset, len(records)))
            strays = [record for record in records if record.offset in entries]
            self._kept.update((record.offset, record) for record in strays)
            self._kept_bytes += sum(record.size for record in strays)

    def _wake(self) -> bool:
        """Go on forwarding if there is something to forward."""
        if self._state.newest_elsewhere < self._next:
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
                await self._commit(self.routed)
        except (LogUnavailableError, TimeoutError) as error:
            _logger.warning("routed offset not committed", partition=self._partition, reason=str(error))

    async def _reject_again(self) -> None:
        log, what = self._office.routed.log, f"records of points-{self._partition} to reject"
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
            entries = self._state.elsewhere(self._next, MOST_AT_ONCE)
            if entries:
                await self._forward_some(entries)
                continue
            self._more.clear()
            await self._more.wait()

    async def _forward_some(self, entries: Sequence[tuple[int, Elsewhere]]) -> None:
        router = self._office.router
        (records, end), found = await asyncio.gather(
            self._read(entries), router.settle([elsewhere for _, elsewhere in entries])
        )
        settled = [(offset, elsewhere) for (offset, _), elsewhere in zip(entries, found, strict=True) if offset <= end]
        # The same after a crash or a loss of power, whatever the catalog says then.
        changed = [new for old, new in zip(entries, settled, strict=False) if new != old]
        if changed:
            await self._write(lambda: self._state.settled(changed))
            await when_room(self._state.sync, _outbox_of(self._partition))
        for offset in (offset for offset, _ in settled if offset not in records):
            self._count_lost(offset)
        await router.forward_all([Stray(records[o], elsewhere) for o, elsewhere in settled if o in records])
        last = settled[-1][0]
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

    async def _read(self, entries: Sequence[tuple[int, Elsewhere]]) -> tuple[dict[int, LogRecord], int]:
        """The records from the first entry on, as far as they were kept or one read goes, by offset; and how far."""
        kept = takewhile(lambda record: record is not None, (self._kept.get(offset) for offset, _ in entries))
        if found := {record.offset: record for record in kept if record is not None}:
            return found, max(found)
        first, size = entries[0][0], READ_BYTES if len(entries) > FEW else FEW_BYTES
        log, place = self._office.routed.log, (Topic.POINTS, self._partition)
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
            await asyncio.sleep(self._office.commit_seconds)
            # For what was applied without a word: a record that was finished after a crash.
            self._wake()
            routed, now = self.routed, loop.time()
            if routed == self._committed and now - last < KEPT_ALIVE_SECONDS:
                continue
            try:
                await self._commit(routed)
                last, told = now, ""
            except LogUnavailableError as error:
                if str(error) != told:
                    _logger.warning("routed offset not committed", partition=self._partition, reason=str(error))
                told = str(error)

    async def _commit(self, routed: int) -> None:
        await self._office.routed.commit(self._partition, routed)
        self._committed = routed
        await self._write(lambda: self._state.forwarded(routed - 1))
        self._gauge.set(routed)


def _outbox_of(partition: int) -> str:
    return f"the outbox of points-{partition}"


def _is_to_send(record: LogRecord) -> bool:
    return belongs_there(record, readable=not isinstance(decode(record), Outcome))
