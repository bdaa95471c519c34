"""The folder of snapshots: which are complete, which are being made, one command at a time."""

import fcntl
import os
import re
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from ingest.disk import sync_folder
from ingest.log import Topic
from projector.snapshot.description import Description, read_description
from projector.snapshot.errors import SnapshotError

PARTIAL = ".partial"
_DELETED = ".deleted"
_LOCK = "LOCK"
_LOCK_SECONDS = 2.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_logger = structlog.get_logger("headwater.snapshot")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A complete snapshot: its folder, laid out as a state folder, and what it says of itself."""

    folder: Path
    description: Description

    @property
    def name(self) -> str:
        """The name it was given; its folder's."""
        return self.folder.name


class SnapshotsFolder:
    """Where snapshots are: each in a folder of its name. One that isn't complete is in a hidden folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def complete(self) -> list[Snapshot]:
        """The complete snapshots, oldest first. One that can't be read is left out, and logged."""
        found: list[Snapshot] = []
        if not self.root.exists():
            return found
        for folder in self.root.iterdir():
            if folder.name.startswith(".") or not folder.is_dir():
                continue
            try:
                found.append(Snapshot(folder, read_description(folder)))
            except SnapshotError as error:
                _logger.warning("snapshot left out", reason=str(error))
        return sorted(found, key=lambda snapshot: (snapshot.description.created_ms, snapshot.name))

    def find(self, name: str) -> Snapshot:
        """The complete snapshot ``name``. Raises SnapshotError."""
        folder = self.path(name)
        if not folder.exists():
            known = ", ".join(snapshot.name for snapshot in self.complete()) or "none"
            raise SnapshotError(f"there is no snapshot {name} in {self.root}; there are: {known}")
        return Snapshot(folder, read_description(folder))

    def newest(self, identity: str, reaching: tuple[Topic, int, int] | None = None) -> Snapshot | None:
        """The newest complete snapshot of the log ``identity``; of those that have applied ``reaching``, an offset."""
        for snapshot in reversed(self.complete()):
            description = snapshot.description
            if description.identity == identity and (reaching is None or description.reaches(*reaching)):
                return snapshot
        return None

    def path(self, name: str) -> Path:
        """The folder of the snapshot ``name``. Raises SnapshotError for what is no name."""
        if not _NAME.fullmatch(name):
            raise SnapshotError(f"{name!r} is no name for a snapshot: letters, digits, and . _ - after the first")
        return self.root / name

    def partial(self, name: str) -> Path:
        """Where the snapshot ``name`` is while it is being made."""
        return self.root / f".{self.path(name).name}{PARTIAL}"

    def delete(self, name: str) -> None:
        """Delete a snapshot. One whose deletion is cut short is gone too. Raises SnapshotError, OSError."""
        snapshot = self.find(name)
        hidden = self.root / f".{name}{_DELETED}"
        shutil.rmtree(hidden, ignore_errors=True)
        snapshot.folder.rename(hidden)
        sync_folder(self.root)
        shutil.rmtree(hidden)

    def sweep(self) -> None:
        """Delete what commands that were cut short left behind. Only under ``lock``."""
        for suffix in (PARTIAL, _DELETED):
            for folder in self.root.glob(f".*{suffix}"):
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def lock(self) -> Generator[None]:
        """Let no other command change the folder meanwhile. Raises SnapshotError."""
        self.root.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            deadline = time.monotonic() + _LOCK_SECONDS
            # Whoever looks for requests holds the lock for an instant.
            while not _locked(fd, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise SnapshotError(f"another command is at work on the snapshots in {self.root}")
                time.sleep(0.01)
            yield
        finally:
            os.close(fd)

    def requested(self) -> Path | None:
        """The folder of the snapshot that a living command wants made now."""
        try:
            partials = [folder for folder in self.root.iterdir() if folder.name.endswith(PARTIAL)]
        except FileNotFoundError:
            return None
        return partials[0] if partials and self._is_locked() else None

    def _is_locked(self) -> bool:
        try:
            fd = os.open(self.root / _LOCK, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _locked(fd, fcntl.LOCK_SH)
        finally:
            os.close(fd)


def _locked(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
