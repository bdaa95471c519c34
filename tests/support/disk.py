"""A disk of its own for a test: small, so that it can be filled."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PIECE = bytes(64 << 10)


class Disk:
    """A mounted file system. ``fill`` leaves so many bytes of it; ``make_room`` gives them back."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._filler = root / "filler"

    def fill(self, left: int = 0) -> None:
        """Take what is free, except for ``left`` bytes."""
        with self._filler.open("ab", buffering=0) as file:
            try:
                while shutil.disk_usage(self.root).free > left:
                    file.write(_PIECE)
            except OSError:
                return

    def make_room(self) -> None:
        """Give back what was taken."""
        self._filler.unlink()


@contextmanager
def small_disk(root: Path, mebibytes: int) -> Generator[Disk]:
    """Mount a file system in memory at ``root``. Skips the test where nothing can be mounted, except in CI."""
    root.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(root)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False) if shutil.which("mount") else None
    if mounted is None or mounted.returncode:
        reason = f"a file system can't be mounted here: {mounted.stderr.strip() if mounted else 'no mount command'}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    try:
        yield Disk(root)
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=True)
