"""The state folder that a worker starts on, and whether it is still there."""

from collections.abc import Iterable
from pathlib import Path

from compose.errors import UserError
from ingest.log import Log, Topic
from projector.folders import StateFolder
from projector.snapshot.advice import advising
from projector.snapshot.snapshots import SnapshotsFolder
from projector.state.origin import check_begins
from projector.worker.catching_up import Partition

_EVERY_ROCKSDB_HAS = "IDENTITY"
"""A file that is never replaced."""


async def refuse_lost_state(folder: StateFolder, snapshots: SnapshotsFolder, log: Log) -> None:
    """Raise StateMismatchError where there is no state and the log can't give one; before anything is made there.

    Raises LogUnavailableError.
    """
    if folder.root.is_dir() and any(folder.root.iterdir()):
        return
    with advising(snapshots, log.identity):
        await check_begins(log)


class FolderWatch:
    """Notices that states were deleted, or moved away, under the worker that writes in them."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        self._seen: dict[Path, int] = {}

    def check(self, partitions: Iterable[Partition]) -> None:
        """Raise UserError when a state of ``partitions`` that was there at an earlier look isn't any more."""
        for topic, number in partitions:
            state = self._folder.catalog if topic is Topic.CATALOG else self._folder.rocksdb(number)
            inode = _inode(state / _EVERY_ROCKSDB_HAS)
            if state in self._seen and inode != self._seen[state]:
                raise UserError(
                    f"{state} was deleted or moved while this projector worked in it. Put it back, or move all of "
                    f"{self._folder.root} away and start again: then the state is made anew from the log, or, where "
                    "that was shortened, restored from a snapshot."
                )
            if inode is not None:
                self._seen[state] = inode


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None
