"""What one request may cost: work on the event loop before others get a turn, time, and bytes of its answer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import TypeVar

from ingest.deadline import Deadline
from query_api.explain import Notes
from query_api.native import NativeWork
from query_api.threads import ReadThreads
from schemas.errors import TimedOutError, UnprocessableError

ResultT = TypeVar("ResultT")

POINT_BYTES = 64
"""About what a point takes in an answer beside its payload and its vectors."""
INLINE_US = 2000.0
"""What may run on an event loop without holding up the others for long, in microseconds."""


class OverEstimateError(Exception):
    """Work on the event loop turned out to be more than was estimated."""


class Allowance:
    """What one piece of work may cost. ``spent`` is what it did, in microseconds by the estimates of what it does."""

    def __init__(self, us: float, deadline: Deadline) -> None:
        self._us = us
        self._deadline = deadline
        self.spent = 0.0
        self.notes: Notes | None = None
        """Where what is done is noted, for who wants to know."""

    @property
    def left(self) -> float:
        """How much more may be spent, in microseconds."""
        return self._us - self.spent

    def spend(self, us: float) -> None:
        """Say that the next step costs about ``us``.

        Raises OverEstimateError when that is too much here, TimedOutError when nobody waits for the result any more.
        """
        self.spent += us
        if self.spent > self._us:
            raise OverEstimateError
        if self._deadline.left() <= 0:
            raise TimedOutError(f"Timeout: the request took longer than {self._deadline.seconds:g} seconds")


class Budget:
    """One request's. To be used on the event loop."""

    def __init__(self, threads: ReadThreads, deadline: Deadline, answer_bytes: int) -> None:
        """``answer_bytes`` is how large the payloads and vectors of the answer may be together."""
        self._threads = threads
        self.deadline = deadline
        self._answer_bytes = answer_bytes
        self.bytes_left = answer_bytes
        """How much larger the answer may become."""
        self.size = 0
        """About how large it is."""
        self._us_left = INLINE_US

    def ahead(self, works: Sequence[NativeWork]) -> Awaitable[None]:
        """Do on native threads what is better done there than where ``run`` does it. Raises TimedOutError."""
        return self._threads.native.run(works, self.deadline)

    def covers(self, estimate: float) -> bool:
        """Whether what takes about ``estimate`` microseconds may be done at once, where this is asked; it counts then.

        For what is nearly always short, and is what it was estimated to be; all else goes to ``run``.
        """
        if estimate > self._us_left:
            return False
        self._us_left -= estimate
        return True

    async def run(self, work: Callable[[Allowance], ResultT], estimate: float) -> ResultT:
        """What ``work`` gives, which takes about ``estimate`` microseconds.

        It runs here if it is short, after others had a turn if this request has had its own; else on a thread. What
        turns out to be long begins again on a thread. Raises TimedOutError at the deadline.
        """
        if estimate <= INLINE_US:
            if estimate > self._us_left:
                await asyncio.sleep(0)
                self._us_left = INLINE_US
            allowance = Allowance(INLINE_US, self.deadline)
            try:
                return work(allowance)
            except OverEstimateError:
                estimate = INLINE_US
            finally:
                self._us_left -= max(estimate, allowance.spent)
        return await self._threads.run(lambda: work(Allowance(inf, self.deadline)), self.deadline)

    def answer(self, points: int, size: int) -> None:
        """Say that the answer has so many more points, with ``size`` bytes of payloads and vectors.

        Raises UnprocessableError when that is too much.
        """
        self.size += points * POINT_BYTES + size
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise UnprocessableError(
                f"Validation error in JSON body: [limit: an answer's payloads and vectors have at most "
                f"{self._answer_bytes} bytes; ask for fewer points at a time]"
            )
