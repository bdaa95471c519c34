"""A partition's state out of a snapshot, to fold the rest of a truncated log on."""

from pathlib import Path

from projector.folders import StateFolder
from projector.snapshot.files import clone_tree
from projector.snapshot.snapshots import Snapshot, SnapshotsFolder


class SnapshotSeed:
    """Implements ``verify.Seed`` with the oldest snapshot that will do, so that most is folded afresh."""

    def __init__(self, snapshots: SnapshotsFolder, identity: str) -> None:
        """``identity`` is the log's."""
        self._snapshots = snapshots
        self._identity = identity

    def __call__(self, partition: int, start: int, latest: int, into: Path) -> None:
        """As ``Seed``."""
        for snapshot in self._snapshots.complete():
            applied = snapshot.description.partitions.get(partition)
            if self._is_of_log(snapshot) and applied is not None and start - 1 <= applied <= latest:
                database = StateFolder(snapshot.folder).rocksdb(partition)
                clone_tree(database, into, lambda path: path.suffix == ".sst")
                return

    def _is_of_log(self, snapshot: Snapshot) -> bool:
        return snapshot.description.identity == self._identity
