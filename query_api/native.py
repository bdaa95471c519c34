"""The kernel's threads: they walk graphs and scan without the interpreter, while the event loop goes on."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any, Protocol

from ingest.deadline import Deadline
from ingest.http.under_way import is_alone
from projector.kernel import KernelPool
from schemas.errors import TimedOutError

Answer = Any
"""What the kernel found, as what was begun gives it when it is called; or, a string, why it could not."""
HAND_OVER_US = 100.0
"""Below this, having threads do it takes longer than doing it."""
BESIDE_US = 25.0
"""The same of one piece beside others that threads do: they are waited for anyhow, and the event loop serves everyone.

Measured: one more piece takes the event loop 4 to 9 us, what comes of it included.
"""
LONG_US = 1000.0
"""What takes so long is not done on the event loop even where nothing else is to be done there."""
SPLIT_US = 250.0
"""The same of what several threads do together, as that is sooner done."""
_CHECKED_SECONDS = 0.1
"""So much later than they said some may be told that it took too long."""


class NativeWork(Protocol):
    """Something that threads of the kernel can do."""

    @property
    def us(self) -> float:
        """About how long it takes, in microseconds."""
        ...

    @property
    def divisible(self) -> bool:
        """Whether several threads do it together."""
        ...

    def begin(self, pool: KernelPool, ticket: int) -> None:
        """Have the pool do it, and tell it under this number."""
        ...

    def end(self, answer: Answer) -> None:
        """Take what the pool said."""
        ...


class _Waiting:
    """Somebody who waits for so many pieces of work, until a deadline."""

    def __init__(self, left: int, future: asyncio.Future[None], deadline: Deadline) -> None:
        self.left = left
        self.future = future
        self._deadline = deadline

    def end(self, error: Exception | None = None) -> None:
        """Have them go on, or fail."""
        if self.future.done():
            return
        if error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(error)

    def check(self) -> None:
        """Have them fail if they waited for too long."""
        if self._deadline.left() <= 0:
            self.end(TimedOutError(f"Timeout: the request took longer than {self._deadline.seconds:g} seconds"))


class NativeThreads:
    """One event loop's, as many as the machine has cores."""

    def __init__(self) -> None:
        self._pool: KernelPool | None = None
        self._running: dict[int, tuple[NativeWork, _Waiting]] = {}
        self._tickets = 0
        self._asking = 0
        self._checking = False

    async def run(self, works: Sequence[NativeWork], deadline: Deadline) -> None:
        """Do what it is better not to do on the event loop: these together, or beside what others asked for.

        The rest is left to the caller. Raises TimedOutError at the deadline.
        """
        if sum(work.us for work in works) <= HAND_OVER_US:
            return
        worthwhile = [work for work in works if work.us > BESIDE_US]
        if not worthwhile:
            return
        if not self._running and _are_short(worthwhile):
            if is_alone():
                return
            # Whoever else came in the same turn of the loop gets to here first.
            self._asking += 1
            try:
                await asyncio.sleep(0)
            finally:
                self._asking -= 1
            if not self._running and not self._asking:
                return
        waiting = _Waiting(len(worthwhile), asyncio.get_running_loop().create_future(), deadline)
        for work in worthwhile:
            self._begin(work, waiting)
        if not self._checking:
            self._check()
        await waiting.future

    def _check(self) -> None:
        """Have who waited for too long fail, now and then as long as anybody waits: a timer each costs a search 5 %."""
        self._checking = bool(self._running)
        if self._checking:
            for _, waiting in self._running.values():
                waiting.check()
            asyncio.get_running_loop().call_later(_CHECKED_SECONDS, self._check)

    def _begin(self, work: NativeWork, waiting: _Waiting) -> None:
        if self._pool is None:
            self._pool = KernelPool(os.cpu_count() or 1)
            asyncio.get_running_loop().add_reader(self._pool.descriptor(), self._finish)
        self._tickets += 1
        work.begin(self._pool, self._tickets)
        self._running[self._tickets] = work, waiting

    def _finish(self) -> None:
        if self._pool is None:
            return
        for ticket, answer in self._pool.finished():
            work, waiting = self._running.pop(ticket)
            work.end(answer)
            waiting.left -= 1
            if not waiting.left:
                waiting.end()


def _are_short(works: Sequence[NativeWork]) -> bool:
    """Whether nothing is gained by threads where nothing else is to be done."""
    if sum(work.us > HAND_OVER_US for work in works) > 1:
        return False
    divisible = len(works) > 1 or works[0].divisible
    return sum(work.us for work in works) < (SPLIT_US if divisible else LONG_US)
