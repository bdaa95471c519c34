"""PeerWaits: waiting until the other workers show an offset."""

import asyncio
from collections import Counter

from compose.api.membership import Membership
from compose.api.visibility_table import Column
from projector.waiters import Waiters

POLL_SECONDS = 0.001
"""The other workers were woken when this one was; mostly they are there by the first look."""
LATER_POLL_SECONDS = 0.01
FIRST_POLLS = 50
_EVERYTHING = 2**63 - 1


class PeerWaits:
    """Looks at the table for all that wait, one task for them together, and only while there are any."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership
        self._waiters: dict[Column, Waiters] = {}
        self._waiting: Counter[Column] = Counter()
        self._watching: asyncio.Task[None] | None = None
        self._polls = 0

    async def wait(self, column: Column, offset: int, timeout: float | None) -> None:
        """Return once every other worker that counts shows ``offset``. Raises TimedOutError."""
        lowest = self._membership.lowest_of_others(column)
        if lowest is None or lowest >= offset:
            return
        waiters = self._waiters.setdefault(column, Waiters(lowest))
        waiters.visible = lowest
        self._waiting[column] += 1
        self._polls = 0
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        try:
            await waiters.wait(offset, timeout)
        finally:
            self._waiting[column] -= 1

    async def _watch(self) -> None:
        try:
            while self._waiting.total():
                await asyncio.sleep(POLL_SECONDS if self._polls < FIRST_POLLS else LATER_POLL_SECONDS)
                self._polls += 1
                self._look()
        except Exception as error:
            # Nobody looks at what ends this task.
            for waiters in self._waiters.values():
                waiters.fail(error)
        finally:
            self._watching = None

    def _look(self) -> None:
        for column, waiting in self._waiting.items():
            if waiting:
                lowest = self._membership.lowest_of_others(column)
                self._waiters[column].advance(_EVERYTHING if lowest is None else lowest)
