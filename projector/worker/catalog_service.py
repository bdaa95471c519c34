"""CatalogService: the catalog's partition with what is folded from it: its state, and what is published of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, Self

from ingest.log import Log, LogRecord, Topic
from projector.catalog.store import CatalogStore
from projector.state.origin import check_log
from projector.worker.catalog_runner import CatalogRunner, Publish, nothing_seen
from projector.worker.partition_runner import Reject
from projector.worker.retry import keep_writable
from projector.worker.syncing import stop, sync_or_tell


class CatalogListener(Protocol):
    """What else uses the catalog's state while it is open."""

    def add_catalog(self, store: CatalogStore) -> None:
        """The catalog is open."""
        ...

    async def remove_catalog(self) -> None:
        """It is about to be closed. Returns once it is no longer used."""
        ...


class CatalogService:
    """Implements FoldService. Runs on one event loop; the one writer of the catalog's state."""

    def __init__(
        self,
        log: Log,
        store: CatalogStore,
        publish: Publish,
        reject: Reject,
        seen: Callable[[int], int],
        listeners: Sequence[CatalogListener],
    ) -> None:
        """See ``open``."""
        self.store = store
        self._log = log
        self._runner = CatalogRunner(log, store, publish, reject, seen=seen)
        self._guests = listeners
        self._keeping = asyncio.create_task(keep_writable(store.kv, "the state of the catalog"))
        for listener in listeners:
            listener.add_catalog(store)

    @classmethod
    async def open(
        cls,
        log: Log,
        open_store: Callable[[], Awaitable[CatalogStore]],
        publish: Publish,
        reject: Reject,
        *,
        seen: Callable[[int], int] = nothing_seen,
        listeners: Sequence[CatalogListener] = (),
    ) -> Self:
        """Open the catalog; ``seen`` as CatalogRunner. Cancelling it leaves nothing open.

        Raises StateMismatchError, StateDamagedError, StateLockedError unless ``open_store`` waits, LogDamagedError,
        LogUnavailableError.
        """
        store = await open_store()
        try:
            await check_log(store, log, Topic.CATALOG, 0)
        except BaseException:
            store.close()
            raise
        return cls(log, store, publish, reject, seen, listeners)

    @property
    def applied(self) -> int:
        """The applied offset."""
        return self.store.applied

    @property
    def unwritable(self) -> str | None:
        """As FoldService."""
        return self.store.kv.unwritable

    async def start(self) -> None:
        """Send what a crash kept in the outbox, and publish what is folded so far. Before anything is applied."""
        await self._runner.start()

    async def end_offset(self) -> int:
        """As FoldService."""
        return await self._log.end_offset(Topic.CATALOG, 0)

    async def check(self) -> None:
        """As FoldService."""
        await check_log(self.store, self._log, Topic.CATALOG, 0)

    async def wait(self) -> None:
        """As FoldService."""
        await self._log.wait(Topic.CATALOG, 0, self.applied + 1)

    async def step(self, end: int | None = None) -> bool:
        """As FoldService."""
        return await self._runner.step(end)

    async def take(self, records: Sequence[LogRecord]) -> None:
        """As FoldService."""
        for record in records:
            if record.offset == self.applied + 1:
                await self._runner.apply(record)
            while record.offset > self.applied:
                if not await self._runner.step():
                    return  # the log has the last word

    async def close(self) -> None:
        """As FoldService."""
        for listener in self._guests:
            await listener.remove_catalog()
        await stop(self._keeping)
        await sync_or_tell(self.store)
        self.store.close()
