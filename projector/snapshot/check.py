"""Is a snapshot what it says, and can this release start from it? Asked before anything depends on that."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

from projector.catalog.store import CatalogStore
from projector.folders import StateFolder
from projector.snapshot.errors import SnapshotError
from projector.snapshot.snapshots import Snapshot
from projector.state import keys
from projector.state.fold_history import is_readable
from projector.state.kv import KeyValue
from projector.state.origin import unreadable
from projector.state.store import PartitionState

_TOLD_POINTS = 1000


class _Applied(Protocol):
    @property
    def applied(self) -> int: ...


def check_snapshot(snapshot: Snapshot, advance: Callable[[int], None] = lambda done: None) -> None:
    """Open every part of ``snapshot`` and read everything in its states. Raises SnapshotError.

    ``advance`` is told how many points were read. Segments are not looked at: they can be had from the points.
    """
    description = snapshot.description
    if not is_readable(description.fold):
        raise SnapshotError(
            f"the snapshot {snapshot.name} is of version {description.fold} of the fold, {unreadable(description.fold)}"
        )
    try:
        _open_and_read(snapshot, advance)
    except SnapshotError:
        raise
    except Exception as error:
        # Whatever it is: for tables that are damaged rocksdict raises bare exceptions.
        raise SnapshotError(f"the snapshot {snapshot.name} can't be started from: {error}") from error


def _open_and_read(snapshot: Snapshot, advance: Callable[[int], None]) -> None:
    description = snapshot.description
    folder, identity = StateFolder(snapshot.folder), description.identity
    if description.catalog is not None:
        _refuse_missing(folder.catalog)
        with closing(CatalogStore.open(folder.catalog, identity, read_only=True)) as store:
            _check_applied(snapshot, folder.catalog, store, description.catalog)
            deque(_read(store.kv), maxlen=0)
    done = 0
    for partition, applied in description.partitions.items():
        database = folder.rocksdb(partition)
        _refuse_missing(database)
        with closing(PartitionState.open(database, identity, read_only=True)) as state:
            _check_applied(snapshot, database, state, applied)
            for count in _read(state.kv, done):
                advance(count)
                done = count


def _read(kv: KeyValue, points: int = 0) -> Iterator[int]:
    """Read everything, not points alone: what else is damaged keeps a state from being opened, too."""
    for key, _ in kv.scan(b""):
        if key.startswith(keys.POINT_PREFIX):
            points += 1
            if not points % _TOLD_POINTS:
                yield points
    yield points


def _refuse_missing(database: Path) -> None:
    if not database.is_dir():
        raise SnapshotError(f"{database} is missing")


def _check_applied(snapshot: Snapshot, database: Path, state: _Applied, applied: int) -> None:
    if state.applied != applied:
        raise SnapshotError(f"{database} stands at offset {state.applied}, not at {applied} as {snapshot.name} says")
