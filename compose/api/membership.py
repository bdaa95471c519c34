"""Membership: one worker among those of its api."""

import asyncio
from collections.abc import Awaitable, Callable

from compose.api.visibility_table import Column, VisibilityTable, WorkerState

BEAT_SECONDS = 0.2
STORE_SECONDS = 0.01
"""Between making oneself known and looking at the others. A processor may delay a store past a later load, but by
far less: whoever completes a wait without this worker has its own offsets in the table by the time they are read."""


class Membership:
    """A worker's row in the table, and what it needs to know of the other rows."""

    def __init__(self, table: VisibilityTable, worker: int) -> None:
        self._table = table
        self.worker = worker
        self._others = [other for other in range(table.workers) if other != worker]

    def start(self) -> None:
        """Clients may reach this worker, which answers that it is not ready."""
        self._table.set_state(self.worker, WorkerState.STARTING)
        self.listens()

    def listens(self) -> None:
        """Clients may reach this worker."""
        self._table.set_listens(self.worker)

    def answers(self) -> None:
        """This worker answers requests in all ways that are wanted."""
        self._table.set_answers(self.worker)

    def publish(self, column: Column, offset: int) -> None:
        """This worker shows everything up to ``offset``."""
        self._table.publish(self.worker, column, offset)

    async def join(self, reach: Callable[[Column, int], Awaitable[None]]) -> None:
        """Become one of those that waiting writes count, then ready: ``reach`` waits until this worker shows an offset.

        A wait that completed before this worker counted was completed by a worker that was ready, and at that worker's
        offset or below it. So a worker that shows what ready ones show, and what those showed that are gone, keeps
        every promise that was made.
        """
        self._table.set_state(self.worker, WorkerState.JOINING)
        await asyncio.sleep(STORE_SECONDS)
        for other in self._others:
            if self._table.state(other) is WorkerState.READY:
                for column, offset in list(self._table.columns(other)):
                    await reach(column, offset)
        # Last, so that one that goes meanwhile is seen in one place or the other.
        for worker in range(self._table.workers):
            for column, offset in list(self._table.columns_before(worker)):
                await reach(column, offset)
        self._table.set_state(self.worker, WorkerState.READY)

    def lowest_of_others(self, column: Column) -> int | None:
        """The offset that all other workers that count show; None when there is no other."""
        lowest: int | None = None
        for other in self._others:
            if self._table.state(other) >= WorkerState.JOINING:
                visible = self._table.visible(other, column)
                lowest = visible if lowest is None else min(lowest, visible)
        return lowest

    def others_ready(self) -> bool:
        """Whether another worker answers clients."""
        return any(self._table.state(other) is WorkerState.READY for other in self._others)

    def all_ready(self) -> bool:
        """Whether no worker that clients may reach would have to refuse them."""
        return all(
            self._table.state(worker) is WorkerState.READY
            for worker in range(self._table.workers)
            if self._table.listens(worker)
        )

    def note(self, connections: int) -> None:
        """This worker has so many connections: see ``compose.http.balanced.Balance``."""
        self._table.set_connections(self.worker, connections)

    def is_next(self, connections: int) -> bool:
        """Whether no other worker that listens has fewer connections than this one."""
        return not any(
            self._table.listens(other) and self._table.connections(other) < connections for other in self._others
        )

    async def beat(self) -> None:
        """Show for ever that this worker's event loop runs: see ``compose.api.heartbeats``."""
        while True:
            self._table.beat(self.worker)
            await asyncio.sleep(BEAT_SECONDS)

    def leave(self) -> None:
        """This worker answers no more."""
        self._table.clear(self.worker)
