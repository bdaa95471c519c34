"""Group commit: everything that waits to be written, of all partitions, shares one sync per partition."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from ingest.byte_budget import ByteBudget
from ingest.embedded.errors import LogPoisonedError
from ingest.embedded.frames import NewRecord
from ingest.embedded.partition_log import PartitionLog
from ingest.embedded.partition_writer import Committed, PartitionWriter
from ingest.embedded.writing_thread import WritingThread
from ingest.log import LogUnavailableError

ALONE = 16
"""After so many appends that came alone, others are not waited for: most clients write one thing after the other."""


class _Pending(NamedTuple):
    length: int
    size: int
    written: asyncio.Future[int]


class _Group(NamedTuple):
    log: PartitionLog
    writer: PartitionWriter
    pending: list[_Pending]
    records: list[NewRecord]
    """All, in the order they were asked for."""


Outcome = Committed | LogUnavailableError


class GroupCommit:
    """Queues records and writes them in groups on ``thread``.

    It is driven by callbacks and not by a task, so that cancelling every task of the event loop, as the end of
    ``asyncio.run`` does, never leaves a group half accounted for.
    """

    def __init__(self, thread: WritingThread, queue_bytes: int) -> None:
        self._thread = thread
        self._budget = ByteBudget(queue_bytes)
        self._queued: dict[PartitionLog, _Group] = {}
        self._running = False
        self._alone = 0
        """So many groups in a row were one append each."""
        self._refusal: str | None = None
        self._unanswered = 0
        self._idle: asyncio.Future[None] | None = None
        """What waits for all to be answered."""

    async def append(self, log: PartitionLog, writer: PartitionWriter, records: Sequence[NewRecord], size: int) -> int:
        """Write ``records``, of ``size`` bytes, one after the other; return the first's offset once all are durable.

        Waits while too many bytes are queued. Raises LogUnavailableError.
        """
        self._unanswered += 1
        if not self._budget.take_now(size):
            try:
                await self._budget.take(size)
            except BaseException:
                self._end_some(1)
                raise
        if self._refusal is not None:
            self._budget.give(size)
            self._end_some(1)
            raise LogUnavailableError(self._refusal)
        written: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        group = self._queued.setdefault(log, _Group(log, writer, [], []))
        group.pending.append(_Pending(len(records), size, written))
        group.records.extend(records)
        self._start_soon()
        return await written

    async def drain(self) -> None:
        """Return once everything that was queued, or waited to be, is written or has failed."""
        while self._unanswered:
            self._idle = self._idle or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._idle)

    def _start_soon(self) -> None:
        if self._running:
            return
        self._running = True
        if self._alone < ALONE:
            # Not at once: appends that start in this turn of the event loop share the sync.
            asyncio.get_running_loop().call_soon(self._start)
        else:
            self._start()

    def _start(self) -> None:
        groups, self._queued = list(self._queued.values()), {}
        self._alone = self._alone + 1 if len(groups) == 1 and len(groups[0].pending) == 1 else 0
        self._thread.call(partial(self._commit, asyncio.get_running_loop(), groups, self._refusal))

    def _commit(self, loop: asyncio.AbstractEventLoop, groups: list[_Group], refusal: str | None) -> None:
        """Runs on the writing thread."""
        work = [(group.writer, group.records) for group in groups]
        outcomes = _commit_each(work, refusal)
        with suppress(RuntimeError):  # the event loop has ended: nobody waits any more
            loop.call_soon_threadsafe(self._finish, groups, outcomes)

    def _finish(self, groups: list[_Group], outcomes: list[Outcome]) -> None:
        self._running = False
        for group, outcome in zip(groups, outcomes, strict=True):
            if isinstance(outcome, Committed):
                group.log.publish(outcome, group.records)
            self._answer(group, outcome)
        if self._queued:
            self._start_soon()

    def _answer(self, group: _Group, outcome: Outcome) -> None:
        if isinstance(outcome, LogPoisonedError) and self._refusal is None:
            self._refusal = f"the log takes no more records until it is opened again, since {outcome}"
        place = 0
        for pending in group.pending:
            first, place = place, place + pending.length
            if pending.written.done():
                continue
            if isinstance(outcome, Committed):
                pending.written.set_result(outcome.first_offset + first)
            else:
                error = LogUnavailableError(str(outcome))
                error.__cause__ = outcome
                pending.written.set_exception(error)
        self._budget.give(sum([pending.size for pending in group.pending]))
        self._end_some(len(group.pending))

    def _end_some(self, count: int) -> None:
        self._unanswered -= count
        if self._unanswered == 0 and self._idle is not None:
            self._idle.set_result(None)
            self._idle = None


def _commit_each(work: Sequence[tuple[PartitionWriter, list[NewRecord]]], refusal: str | None) -> list[Outcome]:
    """Write the groups one after the other; raises nothing."""
    outcomes: list[Outcome] = []
    for writer, records in work:
        if refusal is not None:
            outcomes.append(LogUnavailableError(refusal))
            continue
        try:
            outcomes.append(writer.commit(records))
        except LogUnavailableError as error:
            outcomes.append(error)
        except Exception as error:
            # Not foreseen, so nothing is known about the file: the appenders are told, with the cause.
            poisoned = LogPoisonedError(f"writing failed in an unexpected way: {error!r}")
            poisoned.__cause__ = error
            outcomes.append(poisoned)
        if isinstance(outcomes[-1], LogPoisonedError):
            refusal = f"the log takes no more records until it is opened again, since {outcomes[-1]}"
    return outcomes
