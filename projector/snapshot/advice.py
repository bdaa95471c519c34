"""What to do when a log no longer has the records that a state needs next."""

from projector.snapshot.snapshots import SnapshotsFolder


def starting_advice(snapshots: SnapshotsFolder, identity: str) -> str:
    """Where a state of the log ``identity`` can be had that needs no earlier records; for ``check_log``."""
    newest = snapshots.newest(identity)
    if newest is None:
        return (
            f"Earlier records were deleted from the log, and {snapshots.root} has no snapshot of it: copy one there, "
            "move the state folder away if there is one, and run: headwater snapshot restore NAME"
        )
    return (
        "Earlier records were deleted from the log. Start from a snapshot: move the state folder away if there is one, "
        f"and run: headwater snapshot restore {newest.name} --data {snapshots.root.parent}"
    )
