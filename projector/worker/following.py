"""Following one partition of the log: its records, applied in order to the state that is folded from it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from ingest.log import Log, LogRecord, Topic
from projector.state.kv import KeyValue
from projector.state.origin import FoldedState, check_log, check_start

READ_BYTES = 8 << 20
"""How much of the log is read at once: bounds the memory of catching up."""
SLICE_RECORDS = 1000
"""Of so many records at once readers are told together."""

Advance = Callable[[int], None]
"""Told the applied offset plus one."""


def ignore_progress(applied: int) -> None:
    """For runs that nobody watches."""


class StoredState(FoldedState, Protocol):
    """A state and where it is kept."""

    @property
    def kv(self) -> KeyValue:
        """Whether that can be written."""
        ...


class LogFollower(ABC):
    """Applies a partition of the log. Runs on one event loop."""

    def __init__(
        self, log: Log, topic: Topic, partition: int, folded: StoredState, read_bytes: int = READ_BYTES
    ) -> None:
        self._log = log
        self._topic = topic
        self.partition = partition
        self._folded = folded
        self._read_bytes = read_bytes

    @abstractmethod
    async def apply_all(self, records: Sequence[LogRecord]) -> None:
        """Apply the log's next records, in order. Raises StateMismatchError when they are not the next ones."""

    @property
    def applied(self) -> int:
        """The applied offset."""
        return self._folded.applied

    @property
    def unwritable(self) -> str | None:
        """Why the disk takes nothing of what is applied; None while it does."""
        return self._folded.kv.unwritable

    async def end_offset(self) -> int:
        """Where the log ends. Raises LogUnavailableError."""
        return await self._log.end_offset(self._topic, self.partition)

    async def check(self) -> None:
        """Raise StateMismatchError when the log is not, or no longer, the one the state was folded from."""
        await check_log(self._folded, self._log, self._topic, self.partition)

    async def wait(self) -> None:
        """Return once there is a record after the applied offset. Raises LogUnavailableError, LogDamagedError."""
        await self._log.wait(self._topic, self.partition, self._folded.applied + 1)

    async def step(self, end: int | None = None) -> bool:
        """Apply the next records that one read gives, those below ``end``; False when there are none.

        Raises LogUnavailableError, LogDamagedError, LogTruncatedError when the next records were deleted; what the
        fold raises ends the process.
        """
        next_offset = self._folded.applied + 1
        records = await self._log.read(self._topic, self.partition, next_offset, self._read_bytes)
        if not records or records[0].offset > next_offset:
            # Asked for after reading, so that no deletion can come in between. Transactions leave gaps, too.
            start = await self._log.start_offset(self._topic, self.partition)
            check_start(self._folded, start, self._topic, self.partition)
        if end is not None:
            records = [record for record in records if record.offset < end]
        await self._apply_slices(records)
        return bool(records)

    async def take(self, records: Sequence[LogRecord]) -> None:
        """Apply these records, which are in order; raises as ``step``.

        Those at or below the applied offset are skipped; where one doesn't follow on the applied offset, the log is
        read from there instead, so that nothing can be left out.
        """
        fresh = [record for record in records if record.offset > self.applied]
        if fresh and fresh[-1].offset - self.applied == len(fresh):
            await self._apply_slices(fresh)
            return
        while fresh and self.applied < fresh[-1].offset:
            if not await self.step():
                return  # the log has the last word

    async def _apply_slices(self, records: Sequence[LogRecord]) -> None:
        for start in range(0, len(records), SLICE_RECORDS):
            await self.apply_all(records[start : start + SLICE_RECORDS])
            if len(records) > 1:
                await asyncio.sleep(0)

    async def catch_up(self, end: int, advance: Advance = ignore_progress) -> None:
        """Apply every record below ``end``, which must be on the log; ``advance`` is told how far it is."""
        while self.applied + 1 < end and await self.step(end):
            advance(self.applied + 1)
            await asyncio.sleep(0)

    async def follow(self) -> None:
        """Apply what is on the log, and what comes, for ever."""
        while True:
            await self.wait()
            await self.step()


class FoldService(LogFollower):
    """One partition of one topic, opened: its state is this process's alone until it is closed."""

    @abstractmethod
    async def close(self) -> None:
        """Make the state durable and let it go."""
