"""Waiting for an offset to become visible, and the outcomes that waiting clients are told."""

import asyncio
import heapq
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import count

from schemas.errors import InsufficientStorageError, TimedOutError
from schemas.operations import Outcome

KEPT_OUTCOMES = 10_000
"""Outcomes of records with a rejected operation, kept for a client that asks after they became visible."""

_FEW = 64
"""So many waits that have ended may always be kept."""


class Waiters:
    """Who waits for which offset of one partition. Runs on one event loop."""

    def __init__(self, visible: int) -> None:
        self.visible = visible
        self.on_advance: Callable[[int], None] | None = None
        """Told of every offset that becomes visible, before those who wait for it are."""
        self.stalled: str | None = None
        """Why nothing becomes visible for now; None while something does."""
        self._giving_up: set[asyncio.Future[Sequence[Outcome]]] = set()
        self._order = count()
        self._waiting: list[tuple[int, int, asyncio.Future[Sequence[Outcome]]]] = []
        self._lasting = 0
        self._rejected: OrderedDict[int, Sequence[Outcome]] = OrderedDict()
        self._missed: list[tuple[int, int]] = []

    def advance(self, offset: int, outcomes: Sequence[Outcome] = ()) -> None:
        """``offset`` is visible now; ``outcomes`` where one of them is a rejection."""
        if outcomes:
            self.remember(offset, outcomes)
        self.visible = offset
        if self.on_advance is not None:
            self.on_advance(offset)
        while self._waiting and self._waiting[0][0] <= offset:
            waited_for, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(self._outcomes_of(waited_for))
        while len(self._rejected) > KEPT_OUTCOMES:
            self._rejected.popitem(last=False)

    def fail(self, error: Exception) -> None:
        """Nothing will become visible any more: who waits now is told ``error``."""
        for _, _, future in self._waiting:
            if not future.done():
                future.set_exception(error)
        self._waiting = []

    def remember(self, offset: int, outcomes: Sequence[Outcome]) -> None:
        """One of ``outcomes``, those of the record at ``offset``, is a rejection; it may be visible later."""
        self._rejected[offset] = outcomes

    def missed(self, after: int, upto: int) -> None:
        """Outcomes of the records above offset ``after``, up to ``upto``, are not known, but for remembered ones."""
        if after < upto:
            self._missed.append((after, upto))

    def stall(self, reason: str | None) -> None:
        """Nothing becomes visible for now, because of ``reason``; or again something does, where it is None."""
        self.stalled = reason
        if reason is None:
            return
        for offset, _, future in self._waiting:
            if future in self._giving_up and not future.done():
                future.set_exception(_stalled(offset, reason))

    async def wait(self, offset: int, timeout: float | None, *, give_up: bool = False) -> Sequence[Outcome]:
        """Return once ``offset`` is visible: the record's outcomes if one was rejected, else none.

        Where they are not known there is one outcome, which says so. ``timeout`` in seconds. Raises TimedOutError, and
        with ``give_up`` InsufficientStorageError once nothing becomes visible for lack of a disk that takes writes.
        """
        if offset > self.visible:
            if give_up and self.stalled is not None:
                raise _stalled(offset, self.stalled)
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Sequence[Outcome]] = loop.create_future()
            heapq.heappush(self._waiting, (offset, next(self._order), future))
            # Every write that waits comes here; asyncio's own time-outs cost several times a timer.
            timer = None if timeout is None else loop.call_later(timeout, _expire, future, offset, timeout)
            self._lasting += 1
            if give_up:
                self._giving_up.add(future)
            try:
                return await future
            finally:
                self._giving_up.discard(future)
                if timer is not None:
                    timer.cancel()
                self._lasting -= 1
                self._forget_ended()
        return self._outcomes_of(offset)

    def _forget_ended(self) -> None:
        # Who gave up leaves an entry behind, and what it waited for may never come.
        if len(self._waiting) > 2 * self._lasting + _FEW:
            self._waiting = [entry for entry in self._waiting if not entry[2].done()]
            heapq.heapify(self._waiting)

    def _outcomes_of(self, offset: int) -> Sequence[Outcome]:
        known = self._rejected.get(offset)
        if known is None and self._missed and any(after < offset <= upto for after, upto in self._missed):
            return (_unknown(offset),)
        return known or ()


def _unknown(offset: int) -> Outcome:
    return Outcome(
        reason=f"the operation is accepted as offset {offset} and was carried out or rejected; "
        "which of the two is not known any more",
        status=TimedOutError.status,
    )


def _stalled(offset: int, reason: str) -> InsufficientStorageError:
    return InsufficientStorageError(
        f"The operation is accepted as offset {offset}, but can't be carried out now: {reason}. It will be, once the "
        "disk takes writes again"
    )


def _expire(future: asyncio.Future[Sequence[Outcome]], offset: int, timeout: float) -> None:
    if not future.done():
        future.set_exception(not_visible(offset, timeout))


def not_visible(offset: int, timeout: float) -> TimedOutError:
    """What a client is told who waited ``timeout`` seconds for ``offset``."""
    return TimedOutError(
        f"Timeout: the operation is accepted as offset {offset}, but was not yet visible after {timeout:g} seconds; "
        "it will be applied"
    )
