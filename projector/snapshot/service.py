"""SnapshotService: what a process that owns parts of a state folder runs, so that snapshots can be made of them."""

import asyncio
import shutil
import uuid
from contextlib import AbstractContextManager
from pathlib import Path

import structlog

from projector.catalog.store import CatalogStore
from projector.fold.effects import FOLD_VERSION
from projector.folders import StateFolder
from projector.snapshot.advice import advising
from projector.snapshot.contribution import contribute, is_wanted, staging_path
from projector.snapshot.errors import SnapshotError
from projector.snapshot.parts import CatalogPart, Part, PartitionPart
from projector.snapshot.snapshots import SnapshotsFolder
from projector.state.store import PartitionState
from projector.threads import to_its_end

POLL_SECONDS = 1.0

_logger = structlog.get_logger("headwater.snapshot")


class SnapshotService:
    """Answers requests for snapshots with the parts that are open in this process. Used on one event loop.

    A request is a folder (``SnapshotsFolder.requested``) that a command makes and waits for. Every owner puts its parts
    there; the command puts a name to the whole once all are there. A part must be removed before it is closed.
    """

    def __init__(self, snapshots: SnapshotsFolder, folder: StateFolder, identity: str) -> None:
        """``identity`` is the log's."""
        self._snapshots = snapshots
        self._folder = folder
        self._identity = identity
        self._origin = (identity, FOLD_VERSION)
        self._owner = uuid.uuid4().hex
        self._parts: dict[str, Part] = {}
        self._using: dict[str, asyncio.Lock] = {}

    def advising(self) -> AbstractContextManager[None]:
        """Around opening a state: says what to do when the log no longer has what the state needs."""
        return advising(self._snapshots, self._identity)

    def add_partition(self, partition: int, state: PartitionState) -> None:
        """A points partition is open here."""
        self._add(PartitionPart(self._folder, partition, state))

    async def remove_partition(self, partition: int) -> None:
        """A points partition is about to be closed. Returns once nothing here uses its state."""
        await self._remove(self._folder.partition(partition).name)

    def add_catalog(self, store: CatalogStore) -> None:
        """The catalog is open here."""
        self._add(CatalogPart(self._folder, store))

    async def remove_catalog(self) -> None:
        """The catalog is about to be closed. Returns once nothing here uses its state."""
        await self._remove(self._folder.catalog.name)

    async def run(self) -> None:
        """Look for requests until cancelled. A request that can't be answered is logged, and never ends this."""
        while True:
            try:
                await self.answer()
            except OSError as error:
                _logger.error("requests for snapshots can't be seen", reason=str(error))
            await asyncio.sleep(POLL_SECONDS)

    async def answer(self) -> None:
        """Contribute to the snapshot that is asked for, if there is one."""
        partial = self._snapshots.requested()
        if partial is None:
            return
        for name, part in list(self._parts.items()):
            if self._has(part) and is_wanted(partial, name, self._owner):
                await self._contribute(part, partial)

    async def _contribute(self, part: Part, partial: Path) -> None:
        name = part.folder.name
        try:
            async with self._using[name]:
                made = contribute(part, partial, self._owner, self._origin, lambda: self._has(part))
                await to_its_end(made)
        except (OSError, SnapshotError) as error:
            _logger.error("no part of a snapshot", part=name, reason=str(error))
        else:
            _logger.info("part of a snapshot", part=name, snapshot=str(partial))

    def _has(self, part: Part) -> bool:
        return self._parts.get(part.folder.name) is part

    def _add(self, part: Part) -> None:
        name = part.folder.name
        shutil.rmtree(staging_path(part), ignore_errors=True)
        self._parts[name] = part
        self._using[name] = asyncio.Lock()

    async def _remove(self, name: str) -> None:
        self._parts.pop(name, None)
        using = self._using.pop(name, None)
        if using is not None:
            await using.acquire()
            using.release()
