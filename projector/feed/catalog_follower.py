"""CatalogFeedFollower: the catalog in a process that only reads."""

import asyncio
from collections.abc import Sequence

from projector.catalog.follower import CatalogFollower
from projector.catalog.state import CatalogState
from projector.feed.format import FeedKind, FeedSource
from projector.feed.messages import CatalogChange, decode_catalog_change, decode_catalog_checkpoint
from projector.feed.pause_note import look_for_pause
from projector.feed.reader import FeedReader
from projector.feed.reloading import Reloading
from projector.folders import StateFolder


class CatalogFeedFollower(CatalogFollower):
    """A CatalogFollower that follows the feed. Runs on one event loop.

    While it has to load anew, catalog, visible offset and waiters stay as they are.
    """

    def __init__(self, folder: StateFolder, identity: str) -> None:
        """``folder`` need not exist yet. ``identity`` is the log's."""
        super().__init__()
        self._note = folder.catalog_pause_note
        self._reader = FeedReader(folder.catalog_feed, FeedSource(FeedKind.CATALOG, 0, identity))
        self._reloading = Reloading(self._reader, "loading the catalog anew")
        self._loaded = asyncio.Event()

    def look_for_pause(self) -> None:
        """See whether the catalog's projector has paused, and tell who waits for what it would apply."""
        look_for_pause(self._note, self.waiters)

    @property
    def trouble(self) -> str:
        """Why it could not be loaded the last time; empty when it could, or when there is no feed yet."""
        return self._reloading.trouble

    @property
    def visible(self) -> int:
        """The offset at which the catalog stands; -1 before the first load."""
        return self.waiters.visible

    async def loaded(self) -> None:
        """Return once the catalog is as it was at the feed's end when it was first read."""
        await self._loaded.wait()

    async def run(self) -> None:
        """Follow the feed for ever; ``close`` after it was cancelled."""
        await self._reloading.run(self._load, self._follow)

    def close(self) -> None:
        """Let go of the feed."""
        self._reader.close()

    async def _load(self) -> None:
        checkpoint = decode_catalog_checkpoint(self._reader.open(newest=True))
        changes: list[CatalogChange] = []
        async for payloads in self._reader.to_end():
            changes += map(decode_catalog_change, payloads)
        while (offset := changes[-1].offset if changes else checkpoint.offset) < self.visible:
            changes += map(decode_catalog_change, await self._reader.some())
        self.waiters.missed(self.visible, checkpoint.known_after)
        for of_record in checkpoint.outcomes:
            self.waiters.remember(*of_record)
        for entry in checkpoint.markers:
            self.remember_markers(entry.offset, entry.markers)
        state = CatalogState({c.name: c for c in checkpoint.collections}, checkpoint.aliases)
        self._show(offset, state, changes)
        self._loaded.set()

    async def _follow(self) -> None:
        while True:
            changes = [decode_catalog_change(payload) for payload in await self._reader.next()]
            self._show(changes[-1].offset, self._state, changes)

    def _show(self, offset: int, before: CatalogState, changes: Sequence[CatalogChange]) -> None:
        for change in changes:
            if change.outcomes:
                self.waiters.remember(change.offset, change.outcomes)
            if change.markers:
                self.remember_markers(change.offset, change.markers)
        self.publish(offset, _after(before, changes), (), ())


def _after(state: CatalogState, changes: Sequence[CatalogChange]) -> CatalogState:
    if not any(c.changed or c.removed or c.aliases for c in changes):
        return state
    collections, aliases = dict(state.collections), dict(state.aliases)
    for change in changes:
        for name in change.removed:
            del collections[name]
        collections.update((meta.name, meta) for meta in change.changed)
        for alias, name in change.aliases.items():
            if name is None:
                del aliases[alias]
            else:
                aliases[alias] = name
    return CatalogState(collections, aliases)
