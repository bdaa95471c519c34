"""What can go wrong with snapshots."""


class SnapshotError(Exception):
    """A snapshot can't be made, found, read or restored. The message says why, and what to do."""
