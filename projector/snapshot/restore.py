"""Starting from a snapshot: a copy of it as a state folder."""

import shutil
from pathlib import Path

from ingest.disk import sync_folder
from projector.snapshot.errors import SnapshotError
from projector.snapshot.files import clone_tree, sync_tree
from projector.snapshot.snapshots import Snapshot

_RESTORING = ".restoring"


def restore(snapshot: Snapshot, into: Path) -> None:
    """Make ``into`` the state folder that a snapshot holds; where it can be it shares what never changes.

    ``into`` must be empty or not exist, and appears whole or not at all. Raises SnapshotError, OSError.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise SnapshotError(f"{into} is not empty: move it away first, and stop what runs on it")
    into.parent.mkdir(parents=True, exist_ok=True)
    restoring = into.with_name(f".{into.name}{_RESTORING}")
    shutil.rmtree(restoring, ignore_errors=True)
    try:
        clone_tree(snapshot.folder, restoring, lambda path: _never_changes(path.relative_to(snapshot.folder)))
        sync_tree(restoring)
        if into.exists():
            into.rmdir()
        restoring.rename(into)
    except BaseException:
        shutil.rmtree(restoring, ignore_errors=True)
        raise
    sync_folder(into.parent)


def _never_changes(path: Path) -> bool:
    """Whether no one changes the file in place: RocksDB's tables, and all that shards have (manifests are replaced)."""
    return path.suffix == ".sst" or path.parts[1:2] == ("shards",)
