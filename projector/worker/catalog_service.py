"""CatalogService: the catalog's partition with what is folded from it: its state, and what is published of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, Self

from ingest.log import Log, LogRecord, Topic
from projector.catalog.store import CatalogStore
from projector.state.origin import check_log
from projector.worker.catalog_runner import READ_BYTES, CatalogRunner, Publish, nothing_seen
from projector.worker.following import FoldService
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


class CatalogService(FoldService):
    """The one writer of the catalog's state."""

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
        super().__init__(log, Topic.CATALOG, 0, store, READ_BYTES)
        self.store = store
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

    async def start(self) -> None:
        """Send what a crash kept in the outbox, and publish what is folded so far. Before anything is applied."""
        await self._runner.start()

    async def apply_all(self, records: Sequence[LogRecord]) -> None:
        """As LogFollower."""
        await self._runner.apply_all(records)

    async def close(self) -> None:
        """As FoldService."""
        for listener in self._guests:
            await listener.remove_catalog()
        await stop(self._keeping)
        await sync_or_tell(self.store)
        self.store.close()
