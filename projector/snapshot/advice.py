"""What to do when a log no longer has the records that a state needs next."""

from collections.abc import Generator
from contextlib import contextmanager

from projector.snapshot.snapshots import SnapshotsFolder
from projector.state.origin import LogTruncatedError, StateMismatchError


@contextmanager
def advising(snapshots: SnapshotsFolder, identity: str) -> Generator[None]:
    """Say what to do where opening a state of the log ``identity`` fails with LogTruncatedError."""
    try:
        yield
    except LogTruncatedError as error:
        raise StateMismatchError(f"{error} {starting_advice(snapshots, identity)}") from error


def starting_advice(snapshots: SnapshotsFolder, identity: str) -> str:
    """Where a state of the log ``identity`` can be had that needs no earlier records."""
    newest = snapshots.newest(identity)
    if newest is None:
        return (
            f"There is no snapshot of this log in {snapshots.root}: copy one there, move the state folder away, and "
            f"run: headwater snapshot restore NAME --data {snapshots.root.parent}"
        )
    return (
        "To start from a snapshot, stop what runs on the state folder, move it away, and "
        f"run: headwater snapshot restore {newest.name} --data {snapshots.root.parent}"
    )
