"""Where snapshots are: a folder for each collection and shard, and one for those of everything.

A file appears whole, under its name, or not at all. Beside it is its checksum.
"""

import contextlib
import hashlib
import os
import re
import time
import uuid
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ingest.disk import sync_folder
from schemas.errors import NotFoundError

SUFFIX = ".snapshot"
_CHECKSUM = ".checksum"
_NAME = re.compile(r"[^/\\\x00-\x1f.][^/\\\x00-\x1f]{0,254}")
_ABANDONED_SECONDS = 24 * 3600.0
"""A file that nobody has written to for so long was left by a process that was killed."""


class SnapshotDescription(msgspec.Struct):
    """A snapshot: its size in bytes, and its SHA-256."""

    name: str
    creation_time: str
    size: int
    checksum: str


class SnapshotFolder:
    """The snapshots of one collection, of one shard, or of everything. Methods block."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def list(self) -> list[SnapshotDescription]:
        """All of them, by name."""
        try:
            names = sorted(path.name for path in self.path.iterdir() if path.name.endswith(SUFFIX))
        except FileNotFoundError:
            return []
        found: list[SnapshotDescription] = []
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                found.append(self._describe(self.path / name))
        return found

    def find(self, name: str) -> Path:
        """The file of a snapshot. Raises NotFoundError, also for a name that no snapshot can have."""
        path = self.path / name
        if not is_name(name) or not name.endswith(SUFFIX) or not path.is_file():
            raise NotFoundError(f"Not found: Snapshot {name} not found")
        return path

    def delete(self, name: str) -> None:
        """Delete one. Raises NotFoundError."""
        path = self.find(name)
        path.unlink(missing_ok=True)
        _checksum_file(path).unlink(missing_ok=True)

    def free_name(self, prefix: str) -> str:
        """A name with the time in it that no snapshot has."""
        stem = f"{prefix}-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S}"
        names = (stem + SUFFIX, *(f"{stem}-{number}{SUFFIX}" for number in range(2, 1000)))
        return next(name for name in names if not (self.path / name).exists())

    def keep(self, temporary: Path, name: str) -> SnapshotDescription:
        """Put a file that is complete in its place under ``name``."""
        self.path.mkdir(parents=True, exist_ok=True)
        path = self.path / name
        _checksum_file(path).write_text(sha256_of(temporary))
        temporary.replace(path)
        sync_folder(self.path)
        return self._describe(path)

    def _describe(self, path: Path) -> SnapshotDescription:
        stat = path.stat()
        created = datetime.fromtimestamp(stat.st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        try:
            checksum = _checksum_file(path).read_text().strip()
        except FileNotFoundError:
            checksum = sha256_of(path)
        return SnapshotDescription(path.name, created, stat.st_size, checksum)


class SnapshotsRoot:
    """The folder that has all snapshots."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.full = SnapshotFolder(path / "full")

    def collection(self, name: str) -> SnapshotFolder:
        """The snapshots of a collection, whose name is one."""
        return SnapshotFolder(self.path / "collections" / name)

    def shard(self, collection: str, shard: int) -> SnapshotFolder:
        """The snapshots of a shard."""
        return SnapshotFolder(self.path / "collections" / collection / "shards" / str(shard))

    def new_file(self) -> Path:
        """A path for a file that nobody else has. Whoever makes it deletes it."""
        folder = self.path / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        self._forget_abandoned(folder)
        return folder / uuid.uuid4().hex

    @contextlib.contextmanager
    def temporary(self) -> Generator[Path]:
        """A path for a file that is to become one, gone at the end unless it was moved elsewhere."""
        path = self.new_file()
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def holds(self, path: Path) -> bool:
        """Whether a file is in here, wherever links lead."""
        return path.resolve().is_relative_to(self.path.resolve())

    def _forget_abandoned(self, folder: Path) -> None:
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    path.unlink()


def is_name(name: str) -> bool:
    """Whether a snapshot can have this name: one that is no path, and not hidden."""
    return _NAME.fullmatch(name) is not None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex; it is durable then."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checksum_file(path: Path) -> Path:
    return path.with_name(path.name + _CHECKSUM)
