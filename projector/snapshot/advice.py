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
        raise StateMismatchError(f"{error} {starting_advice(snapshots, identity, error)}") from error


def starting_advice(snapshots: SnapshotsFolder, identity: str, error: LogTruncatedError) -> str:
    """Where a state of the log ``identity`` can be had that needs none of what ``error`` says is gone."""
    until = error.start - 1
    newest = snapshots.newest(identity, (error.topic, error.partition, until))
    if newest is None:
        return (
            f"There is no snapshot of this log in {snapshots.root} that has those records: copy one there, move the "
            f"state folder away, and run: headwater snapshot restore NAME --data {snapshots.root.parent}\n"
            "Where there is none anywhere, they are lost. To go on without them, knowingly, run (with --kafka and "
            f"--prefix, if that is where the log is): headwater log accept-loss --topic {error.topic} --partition "
            f"{error.partition} --accept-loss-until {until} --data {snapshots.root.parent}"
        )
    return (
        "To start from a snapshot, stop what runs on the state folder, move it away, and "
        f"run: headwater snapshot restore {newest.name} --data {snapshots.root.parent}"
    )
