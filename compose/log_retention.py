"""LogRetention: shortens the embedded log of a running node, by itself and when a command asks for it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import structlog

from compose.embedded_truncation import REQUEST_FILE, answer, truncate
from compose.log_truncate import plan_cuts
from ingest.embedded import EmbeddedLog
from ingest.embedded.truncation import size_of
from ingest.log import LogUnavailableError, Topic
from projector.folders import StateFolder
from projector.snapshot import SnapshotError, SnapshotsFolder
from projector.snapshot.check import check_snapshot
from projector.snapshot.create import create
from projector.state.errors import StateDamagedError

NAME_PREFIX = "retention-"
"""What the names of its snapshots begin with; only the newest of them is kept."""
LOOK_SECONDS = 1.0
PAUSE_SECONDS = 60.0
"""After an attempt that failed."""

_logger = structlog.get_logger("headwater.retention")


class LogRetention:
    """Used on the node's event loop, beside the SnapshotService that answers for the node's parts."""

    def __init__(self, log: EmbeddedLog, folder: Path, limit: int | None, state: StateFolder, root: Path) -> None:
        """``folder`` is the log's; above ``limit`` bytes it is shortened, None: when asked. ``root``: snapshots'."""
        self._log = log
        self._folder = folder
        self._limit = limit
        self._state = state
        self._snapshots = SnapshotsFolder(root)

    async def run(self) -> None:
        """Look at the log until cancelled. What goes wrong is logged, and tried again later."""
        # Of a command that ended before this process began.
        (self._folder / REQUEST_FILE).unlink(missing_ok=True)
        while True:
            try:
                await answer(self._log, self._folder)
                if self._limit is not None and self._size() > self._limit:
                    await self.shorten()
            except (OSError, SnapshotError, StateDamagedError, LogUnavailableError) as error:
                _logger.error("the log was not shortened", reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)

    def _size(self) -> int:
        """How many bytes the log's records take."""
        return size_of(self._folder) - self._log.room

    async def shorten(self) -> None:
        """Make a snapshot, check it, delete the records that it covers. Raises what these raise."""
        before = self._size()
        for topic in (Topic.CATALOG, Topic.POINTS):
            for partition in range(self._log.partitions(topic)):
                await self._log.roll(topic, partition)
        name = f"{NAME_PREFIX}{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
        snapshot = await create(self._snapshots, self._state, name)
        with self._snapshots.lock():
            await asyncio.to_thread(check_snapshot, snapshot)
            cuts = await plan_cuts(self._log, snapshot)
            await truncate(self._log, {f"{cut.topic}-{cut.partition}": cut.limit for cut in cuts})
            for older in self._snapshots.complete():
                if older.name.startswith(NAME_PREFIX) and older.name != name:
                    await asyncio.to_thread(self._snapshots.delete, older.name)
        _logger.info("shortened the log", snapshot=name, before=before, after=self._size())
