"""Make files and folders survive power loss."""

import os
from pathlib import Path


def sync_file(path: Path) -> None:
    """Sync a file that someone else wrote."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Sync a folder: which names it has."""
    sync_file(path)


def replace_file(path: Path, data: bytes) -> None:
    """Write ``path`` so that after a crash it is either as before or has all of ``data``."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)
