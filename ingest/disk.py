"""The calls that make bytes durable, in one place so that tests can make them fail."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_PIECE_BYTES = 1 << 20
_LARGE_BYTES = 1 << 16
_ZEROS = bytes(_LARGE_BYTES)


def sync_data(fd: int) -> None:
    """Return once the bytes of ``fd``, and its length, are on the disk."""
    if sys.platform == "darwin":
        import fcntl

        # On macOS fsync leaves the bytes in the drive's cache.
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(fd)


def reserve_room(fd: int, position: int, size: int) -> None:
    """Write ``size`` zeros from ``position`` on. Raises OSError; part may then be written.

    What posix_fallocate gives is still to be marked as written, which each sync would write to the file system's
    journal: over zeros it has nothing but the bytes to write, and takes half as long.
    """
    whole, rest = divmod(size, len(_ZEROS))
    write_all(SYSTEM, fd, position, [*[_ZEROS] * whole, _ZEROS[:rest]])


@dataclass(frozen=True, slots=True)
class Disk:
    """Writing and syncing. The defaults are the operating system's own calls."""

    pwrite: Callable[[int, bytes, int], int] = os.pwrite
    sync: Callable[[int], None] = sync_data
    reserve: Callable[[int, int, int], None] = reserve_room


SYSTEM = Disk()


def write_all(disk: Disk, fd: int, position: int, buffers: Iterable[bytes]) -> None:
    """Write ``buffers`` one after the other from ``position`` on. Raises OSError; part may then be written.

    Small buffers are joined, for fewer calls; large ones aren't, since copying them costs more than the calls.
    """
    pieces: list[bytes] = []
    size = 0
    for buffer in buffers:
        if len(buffer) >= _LARGE_BYTES or size >= _PIECE_BYTES:
            position = _write_piece(disk, fd, position, b"".join(pieces))
            pieces, size = [], 0
        if len(buffer) >= _LARGE_BYTES:
            position = _write_piece(disk, fd, position, buffer)
        else:
            pieces.append(buffer)
            size += len(buffer)
    _write_piece(disk, fd, position, b"".join(pieces))


def _write_piece(disk: Disk, fd: int, position: int, data: bytes) -> int:
    while data:
        written = disk.pwrite(fd, data, position)
        position += written
        data = data[written:]
    return position


def read_at(fd: int, position: int, size: int) -> bytes:
    """``size`` bytes from ``position`` on, or fewer where the file ends."""
    data = os.pread(fd, size, position)
    while len(data) < size:
        more = os.pread(fd, size - len(data), position + len(data))
        if not more:
            break
        data += more
    return data


def sync_file(path: Path, disk: Disk = SYSTEM) -> None:
    """Sync a file that someone else wrote."""
    fd = os.open(path, os.O_RDONLY)
    try:
        disk.sync(fd)
    finally:
        os.close(fd)


def sync_folder(folder: Path, disk: Disk = SYSTEM) -> None:
    """Make the names in ``folder`` durable: a synced file whose name is lost is lost too."""
    sync_file(folder, disk)


def make_folder(folder: Path, disk: Disk = SYSTEM) -> None:
    """Create ``folder`` and what is missing above it, durably."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent, disk)


def write_new_file(path: Path, data: bytes, disk: Disk = SYSTEM) -> None:
    """Write and sync a file of ``data`` that doesn't keep its name: ``path`` is to be renamed by the caller."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        write_all(disk, fd, 0, (data,))
        disk.sync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, data: bytes, disk: Disk = SYSTEM, suffix: str = ".tmp") -> None:
    """Write ``path`` so that after a crash it is either as before or has all of ``data``.

    Meanwhile there is a file with ``suffix`` behind its name.
    """
    temporary = path.with_name(path.name + suffix)
    write_new_file(temporary, data, disk)
    temporary.replace(path)
    sync_folder(path.parent, disk)
