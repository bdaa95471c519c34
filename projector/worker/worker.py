"""Worker: works on the partitions that it is given, and on no others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from ingest.log import LogRecord, Topic
from projector.worker.catching_up import CatchingUp, Partition
from projector.worker.following import FoldService
from projector.worker.partition_service import PartitionService
from projector.worker.partition_work import PartitionWork

CATCH_UP_SLOTS = 2
"""One reads while another folds."""

OpenService = Callable[[Partition], Awaitable[FoldService]]


def ignore_full(partition: Partition, full: bool) -> None:
    """For who offers little."""


class Worker:
    """Runs on one event loop. What ends the work on one partition ends the worker: wait for ``failed``."""

    def __init__(self, open_service: OpenService, catching_up: CatchingUp | None = None) -> None:
        """``open_service`` opens a partition of the points or the catalog topic."""
        self.on_full = ignore_full
        """Told of a partition that must not be offered more for now, and again when it may."""
        self._open_service = open_service
        self._catching_up = catching_up or CatchingUp()
        self._works: dict[Partition, PartitionWork] = {}
        self._full: set[Partition] = set()
        self._slots = asyncio.Semaphore(CATCH_UP_SLOTS)
        self._assigning = asyncio.Lock()
        self._changed = asyncio.Event()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closed = False

    async def assign(self, given: Iterable[Partition], stale: Callable[[], bool]) -> None:
        """Let go of partitions that are not among ``given``, and open those that are new.

        Returns once all have caught up with the log, or when the worker failed, or ``stale`` says, each time that
        ``reconsider`` is called, that others are given by now; opening and catching up then goes on.
        """
        async with self._assigning:
            wanted = set(given)
            lost = [work for partition, work in self._works.items() if partition not in wanted]
            await self._close(lost)
            for partition in sorted(wanted - self._works.keys()):
                self._start(partition)
        while not (stale() or self._closed or self._failure.done()) and self.behind:
            self._changed.clear()
            await self._changed.wait()

    def reconsider(self) -> None:
        """Let ``assign`` ask again whether it is stale."""
        self._changed.set()

    @property
    def behind(self) -> list[Partition]:
        """Those that have not yet caught up with the log as it was when they were opened, in order."""
        return sorted(partition for partition, work in self._works.items() if not work.caught_up)

    @property
    def partitions(self) -> list[Partition]:
        """Those that were given, opened or not, in order."""
        return sorted(self._works)

    @property
    def full(self) -> list[Partition]:
        """Those that must not be offered more for now, in order."""
        return sorted(self._full)

    @property
    def paused(self) -> str | None:
        """Why the disk takes nothing of what some partition applies; None while it does."""
        services = [work.service for work in self._works.values() if work.service is not None]
        return next((service.unwritable for service in services if service.unwritable is not None), None)

    def positions(self) -> Mapping[Partition, int]:
        """The offset after the applied one, of every partition that is open."""
        return {p: work.service.applied + 1 for p, work in self._works.items() if work.service is not None}

    def points_service(self, partition: int) -> PartitionService | None:
        """A points partition that is open here."""
        work = self._works.get((Topic.POINTS, partition))
        return work.service if work is not None and isinstance(work.service, PartitionService) else None

    def marker_seq(self, partition: int) -> int:
        """The highest marker sequence number applied by a points partition, as far as it is known here."""
        service = self.points_service(partition)
        return 0 if service is None else service.state.marker_seq

    def offer(self, partition: Partition, records: Sequence[LogRecord]) -> None:
        """Here are records, in order; those of partitions that aren't here are nothing to this worker."""
        work = self._works.get(partition)
        if work is not None:
            work.offer(records)

    def offer_early(self, partition: Partition, records: Sequence[LogRecord]) -> None:
        """As ``PartitionWork.offer_early``; those of partitions that aren't here are nothing to this worker."""
        work = self._works.get(partition)
        if work is not None:
            work.offer_early(records)

    def tell(self, partitions: Iterable[Partition]) -> None:
        """There may be more on the log of these partitions."""
        for partition in partitions:
            work = self._works.get(partition)
            if work is not None:
                work.tell()

    def set_live(self, live: bool) -> None:
        """Whether what comes after ``positions`` is being offered from now on."""
        for work in self._works.values():
            work.set_live(live)

    async def failed(self) -> None:
        """Wait until the work on a partition failed, and raise what it failed with. Cancel it, or never return."""
        await asyncio.shield(self._failure)

    async def close(self) -> None:
        """Let go of everything."""
        self._closed = True
        self._changed.set()
        async with self._assigning:
            await self._close(list(self._works.values()))
        if self._failure.done():
            self._failure.exception()

    def _start(self, partition: Partition) -> None:
        if self._closed:
            return
        work = PartitionWork(
            partition, lambda: self._open_service(partition), self._catching_up, self._on_changed, self._slots
        )
        work.task.add_done_callback(self._on_done)
        self._works[partition] = work

    async def _close(self, works: Sequence[PartitionWork]) -> None:
        await asyncio.gather(*[work.close() for work in works])
        for work in works:
            self._works.pop(work.partition, None)
        self._on_changed()

    def _on_changed(self) -> None:
        self._changed.set()
        full = {partition for partition, work in self._works.items() if work.offered.full}
        for partition in full ^ self._full:
            self.on_full(partition, partition in full)
        self._full = full

    def _on_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failure.done():
            self._failure.set_exception(error)
            self._changed.set()
