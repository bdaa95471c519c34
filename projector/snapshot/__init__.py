"""Snapshots: a state folder as it was at an offset, to start from on any machine (docs/snapshots.md)."""

from projector.snapshot.errors import SnapshotError
from projector.snapshot.service import SnapshotService
from projector.snapshot.snapshots import Snapshot, SnapshotsFolder

__all__ = ["Snapshot", "SnapshotError", "SnapshotService", "SnapshotsFolder"]
