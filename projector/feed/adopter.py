"""ManifestAdopter: puts the segments of new manifests into a reader's views."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

import structlog

from projector.feed.shard_loader import NO_MANIFEST, ShardLoader
from projector.frames import ShardId
from projector.segments.errors import ManifestDamagedError, SegmentDamagedError
from projector.segments.manifest import Manifest
from projector.view.live_shard import LiveShard
from projector.waiters import Waiters

BEHIND_SECONDS = 0.02

_logger = structlog.get_logger("headwater.feed")


class ManifestAdopter:
    """Works on the event loop of the follower whose live shards ``shards`` gives. Segments are opened on a thread.

    Answers don't change by it: a shard that keeps its segments only has a longer tail.
    """

    def __init__(
        self,
        folder: Callable[[ShardId], Path],
        loader: ShardLoader,
        shards: Callable[[], Mapping[ShardId, LiveShard]],
        waiters: Waiters,
    ) -> None:
        self._folder = folder
        self._loader = loader
        self._shards = shards
        self._waiters = waiters
        self._held: WeakKeyDictionary[LiveShard, Manifest] = WeakKeyDictionary()
        self._noted: dict[ShardId, None] = {}
        self._work = asyncio.Event()

    def loaded(self, live: LiveShard, manifest: Manifest) -> None:
        """The segments of ``live`` are from ``manifest``."""
        self._held[live] = manifest

    def note(self, shard: ShardId) -> None:
        """The shard has a new manifest."""
        self._noted[shard] = None
        self._work.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._work.wait()
            while self._noted:
                shard = next(iter(self._noted))
                del self._noted[shard]
                await self._adopt(shard)
            self._work.clear()

    async def _adopt(self, shard: ShardId) -> None:
        live = self._shards().get(shard)
        if live is None:
            return
        try:
            loaded = await asyncio.to_thread(self._loader.load, self._folder(shard))
        except (ManifestDamagedError, SegmentDamagedError) as error:
            if self._shards().get(shard) is live:
                _logger.warning("new segments can't be read; keeping the old ones", reason=error.message)
            return
        if loaded.manifest is NO_MANIFEST:
            return  # the shard was closed, and its folder deleted, before this reader came to that
        if loaded.manifest == self._held.get(live):
            return
        while self._shards().get(shard) is live:
            visible = self._waiters.visible
            # A shard that no record touched since has a view that stands further back.
            if visible >= loaded.usable_from and live.catch_up(visible):
                live.adopt(loaded.manifest.offset, loaded.segments)
                self._held[live] = loaded.manifest
                return
            # The reader is within a record, or behind, and may have to load everything anew before it gets there.
            await asyncio.sleep(BEHIND_SECONDS)
