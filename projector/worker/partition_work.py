"""PartitionWork: a partition that this worker was given, from opening its state to letting it go.

The log is the truth. Who brings records (``offer``) only tells that there are more: a record is applied from what was
offered where it follows on the applied offset, else the log is read. While nobody brings any, because a consumer group
is being rebalanced, say, the log is followed directly; a look at its end every second finds what nobody told of.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from ingest.log import LogRecord, LogUnavailableError
from projector.worker.catching_up import CatchingUp, Partition
from projector.worker.following import FoldService
from projector.worker.metrics import LAG, OPEN_PARTITIONS
from projector.worker.offered import Offered
from projector.worker.retry import when_available

LOOK_SECONDS = 1.0


class PartitionWork:
    """One task at a time works on the partition; everything else only leaves it a note."""

    def __init__(
        self,
        partition: Partition,
        open_service: Callable[[], Awaitable[FoldService]],
        catching_up: CatchingUp,
        changed: Callable[[], None],
        slots: asyncio.Semaphore,
    ) -> None:
        """``changed`` is called when the partition has caught up, is full, or has room again.

        ``slots`` bounds how many partitions hold a bulk of what they catch up with at the same time.
        """
        self.partition = partition
        self.service: FoldService | None = None
        """None while it is not open."""
        self.caught_up = False
        self._open_service = open_service
        self._catching_up = catching_up
        self._changed = changed
        self._slots = slots
        self.offered = Offered(changed)
        self._told = False
        self._live = False
        self._wake = asyncio.Event()
        self._look_due = False
        self._seen_applied: int | None = None
        self._read_to = 0
        """Below this offset there is no record that is not applied: the last ones may be the log's own."""
        self.task = asyncio.create_task(self._run(), name=f"{partition[0]}-{partition[1]}")

    @property
    def _what(self) -> str:
        return f"{self.partition[0]}-{self.partition[1]}"

    def offer(self, records: Sequence[LogRecord]) -> None:
        """Here are records, one at least, in order."""
        self.offered.put(records)
        self._wake.set()

    def offer_early(self, records: Sequence[LogRecord]) -> None:
        """Here are records that will be offered again; they are let go where they would only wait."""
        if self.caught_up and not self.offered.full:
            self.offer(records)

    def tell(self) -> None:
        """There may be more on the log."""
        self._told = True
        self._wake.set()

    def set_live(self, live: bool) -> None:
        """Whether what comes after the applied offset is being offered from now on.

        If not, what waits is dropped: the log has it, and when it is offered again, that begins at the applied offset.
        """
        self._live = live
        if not live:
            self.offered.drop()
        self._wake.set()

    async def close(self) -> None:
        """Stop wherever it is and let the state go. What it failed with is the task's to tell."""
        self.task.cancel()
        await asyncio.wait({self.task})

    async def _run(self) -> None:
        topic, number = self.partition
        service = await when_available(self._open_service, self._what)
        OPEN_PARTITIONS.labels(topic).inc()
        try:
            self.service = service
            await self._catch_up(service)
            self.caught_up = True
            self._changed()
            await self._follow(service)
        finally:
            self.service = None
            self._catching_up.end(self.partition)
            await service.close()
            OPEN_PARTITIONS.labels(topic).dec()
            LAG.remove(topic, number)

    async def _catch_up(self, service: FoldService) -> None:
        end = await when_available(service.end_offset, self._what)
        behind = max(end - 1 - service.applied, 0)
        LAG.labels(*self.partition).set(behind)
        if behind:
            self._catching_up.begin(self.partition, behind)
            await when_available(lambda: self._catch_up_to(service, end), self._what)
            self._catching_up.end(self.partition)

    async def _catch_up_to(self, service: FoldService, end: int) -> None:
        more = True
        while more and service.applied + 1 < end:
            async with self._slots:
                more = await service.step(end)
            self._catching_up.advance(self.partition, end - 1 - service.applied)
        self._read_to = end

    async def _follow(self, service: FoldService) -> None:
        looking = asyncio.create_task(self._look_regularly())
        try:
            while True:
                self._wake.clear()
                if self._look_due:
                    await self._look(service)
                if self.offered:
                    await self._take(service)
                elif self._told:
                    self._told = False
                    await when_available(lambda: self._to_the_end(service), self._what)
                elif self._live:
                    await self._wake.wait()
                else:
                    await self._wait_for_log(service)
        finally:
            looking.cancel()

    async def _take(self, service: FoldService) -> None:
        records, size = self.offered.take()
        await when_available(lambda: service.take(records), self._what)
        self.offered.done(size)

    async def _wait_for_log(self, service: FoldService) -> None:
        waits = [asyncio.create_task(service.wait()), asyncio.create_task(self._wake.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if waits[0].done():
                with suppress(LogUnavailableError):  # what comes next, which is tried again, says so
                    waits[0].result()
                self._told = True
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.wait(waits)

    async def _look_regularly(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._look_due = True
            self._wake.set()

    async def _look(self, service: FoldService) -> None:
        """See where the log ends: for who watches, and in case that nobody told of it."""
        self._look_due = False
        with suppress(LogUnavailableError):  # a later look is as good
            end = await service.end_offset()
            to_read = max(service.applied + 1, self._read_to)
            LAG.labels(*self.partition).set(max(end - to_read, 0))
            if end <= service.applied:
                await service.check()
            elif end > to_read and service.applied == self._seen_applied:
                self._told = True
        self._seen_applied = service.applied

    async def _to_the_end(self, service: FoldService) -> None:
        end = await service.end_offset()
        await service.catch_up(end)
        self._read_to = end
