"""The lock that lets one process at a time write to a log."""

import fcntl
import os
from pathlib import Path

from ingest.embedded.errors import LogLockedError

NAME = "LOCK"


class FolderLock:
    """An flock on ``<folder>/LOCK``. The system releases it when the process ends, however it ends.

    The file stays: removing it would let two processes lock two files of the same name. A process forked (not
    spawned) from this one would share the lock.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises LogLockedError if it is taken."""
        self._fd = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._fd, 32, 0).decode(errors="replace").strip()
            os.close(self._fd)
            raise LogLockedError(
                f"the log in {folder} is open in another process (number {holder or 'unknown'}); "
                "stop that one; `headwater log` and `headwater info` read it meanwhile"
            ) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others take the lock."""
        os.close(self._fd)
