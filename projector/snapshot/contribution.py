"""Putting one part into a snapshot that is being made: staged beside the state, synced, moved, reported."""

import asyncio
import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from ingest.disk import replace_file, sync_folder
from projector.snapshot.errors import SnapshotError
from projector.snapshot.files import clone_tree, sync_tree
from projector.snapshot.parts import Part
from projector.state.errors import StateDamagedError

_COPYING = ".copying"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a part. ``done``: whether it is there whole; ``error``: why it never will be.

    Neither: ``owner`` is at work on it, or was when it ended or gave the part up.
    """

    owner: str
    identity: str
    fold: str
    applied: int = -1
    done: bool = False
    error: str | None = None


_decoder = msgspec.json.Decoder(Report)


def report_of(partial: Path, part: str) -> Report | None:
    """What was last reported of a part; None while nobody of this release has begun it."""
    try:
        return _decoder.decode(_report_path(partial, part).read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def is_wanted(partial: Path, part: str, owner: str) -> bool:
    """Whether a part, whose LOCK ``owner`` holds, is still to be begun by it.

    What another owner had begun it didn't finish, for it has lost the LOCK.
    """
    report = report_of(partial, part)
    return report is None or (not report.done and report.error is None and report.owner != owner)


def drop_reports(partial: Path) -> None:
    """Delete the reports of a snapshot that is complete."""
    for path in partial.glob(f"{_report_path(partial, '*').name}"):
        path.unlink()


def staging_path(part: Part) -> Path:
    """Where a part is staged: on the state's file system, so that it takes links and renames only."""
    return part.folder.with_name(f".snapshot-{part.folder.name}")


async def contribute(
    part: Part, partial: Path, owner: str, origin: tuple[str, str], is_open: Callable[[], bool] = lambda: True
) -> None:
    """Put ``part`` into the snapshot in ``partial``, unless it is no longer open once its turn has come.

    For the one process, ``owner``, that holds the part's LOCK. ``origin``: the log's identity and the fold's version.
    What goes wrong is reported in ``partial``. Raises OSError when even that can't be done, and SnapshotError when the
    snapshot was given up.
    """
    name = part.folder.name
    identity, fold = origin
    try:
        _report(partial, name, Report(owner=owner, identity=identity, fold=fold))
        staging = staging_path(part)
        await asyncio.to_thread(shutil.rmtree, staging, True)
        await part.flush()
        if not is_open():
            _report_path(partial, name).unlink()
            return
        # From here to the next await nothing else runs on this loop: state and segments are those of one instant.
        part.stage(staging)
        report = Report(owner=owner, identity=identity, fold=fold, applied=part.applied, done=True)
        await asyncio.to_thread(_deliver, staging, partial / name)
        _report(partial, name, report)
    except (OSError, StateDamagedError) as error:
        if not partial.exists():
            raise SnapshotError(f"{partial} was given up meanwhile") from error
        _report(partial, name, Report(owner=owner, identity=identity, fold=fold, error=f"{name}: {error}"))


def _deliver(staging: Path, target: Path) -> None:
    """Sync and move what was staged, to another file system if need be. On a thread."""
    try:
        sync_tree(staging)
        shutil.rmtree(target, ignore_errors=True)
        try:
            staging.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            copying = target.with_name(target.name + _COPYING)
            shutil.rmtree(copying, ignore_errors=True)
            clone_tree(staging, copying, lambda path: False)
            sync_tree(copying)
            copying.rename(target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _report_path(partial: Path, part: str) -> Path:
    return partial / f"{part}.report"


def _report(partial: Path, part: str, report: Report) -> None:
    replace_file(_report_path(partial, part), msgspec.json.encode(report))
