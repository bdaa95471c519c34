"""Copies of files and folders that share what never changes: hard links, copies where there can be none."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from ingest.disk import sync_file, sync_folder

_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""Other file systems, file systems without links, and files that have as many as they can."""


def link_or_copy(source: Path, target: Path) -> None:
    """Make ``target`` hold what ``source``, a file that is never changed in place, holds. Raises OSError."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)


def clone_tree(source: Path, target: Path, shared: Callable[[Path], bool]) -> None:
    """Copy a folder to ``target``, which must not exist; files that are ``shared`` become links. Raises OSError."""
    target.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        if path.is_dir():
            clone_tree(path, target / path.name, shared)
        elif shared(path):
            link_or_copy(path, target / path.name)
        else:
            shutil.copyfile(path, target / path.name)


def sync_tree(folder: Path) -> None:
    """Make a folder with all that is in it survive power loss. Raises OSError."""
    for path in folder.iterdir():
        if path.is_dir():
            sync_tree(path)
        else:
            sync_file(path)
    sync_folder(folder)


def tree_bytes(folder: Path) -> int:
    """The bytes of all files in a folder; what is gone meanwhile doesn't count."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(where, name)).st_size
            except FileNotFoundError:
                continue
    return total
