"""Bells: how the writer of a feed wakes its readers, on the same machine, without anyone polling.

A reader hangs up a bell, a named pipe in the feed's ``bells`` folder, and waits until there is something to read in it.
The writer writes a byte into each pipe. A pipe that nobody reads any more says so, and is removed.
"""

import asyncio
import contextlib
import errno
import os
import secrets
from pathlib import Path

import structlog

from projector.feed.files import Listing

_logger = structlog.get_logger("headwater.feed")

_DRAIN_BYTES = 1 << 16
_ABANDONED = (errno.ENXIO, errno.EPIPE, errno.ENOENT)


def is_at(path: Path, descriptor: int) -> bool:
    """Whether ``path`` is the open file."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except (FileNotFoundError, NotADirectoryError):
        return False


class Bell:
    """One reader's bell. Used on one event loop."""

    def __init__(self, folder: Path) -> None:
        """Hang it up in ``folder``, which is created when missing, but not the one it is in. Raises OSError."""
        folder.mkdir(exist_ok=True)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        # It gets its name when it can be rung: the writer removes a pipe that nobody reads.
        hidden = folder / f".{name}"
        self._path = folder / name
        os.mkfifo(hidden)
        # The writer may run as another user.
        hidden.chmod(0o666)
        self._fd = os.open(hidden, os.O_RDONLY | os.O_NONBLOCK)
        # With no writer at all a pipe is at its end, and would be readable for ever.
        self._other_end = os.open(hidden, os.O_WRONLY | os.O_NONBLOCK)
        hidden.rename(self._path)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()

    async def wait(self, timeout: float) -> None:
        """Return when it has been rung since the last wait, or after ``timeout`` seconds."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            loop.add_reader(self._fd, self._hear)
            self._loop = loop
        # Readers wait after every frame; asyncio's own time-outs cost several times a timer.
        timer = loop.call_later(timeout, self._rung.set)
        try:
            await self._rung.wait()
        finally:
            timer.cancel()
        # Before the reader looks at the file, so that what is written after that rings anew.
        self._rung.clear()

    @property
    def hangs(self) -> bool:
        """Whether a writer can find it."""
        return is_at(self._path, self._fd)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self._fd, _DRAIN_BYTES)) == _DRAIN_BYTES:
                pass
        self._rung.set()

    def close(self) -> None:
        """Take it down."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._fd)
        self._path.unlink(missing_ok=True)
        os.close(self._fd)
        os.close(self._other_end)


class Ringer:
    """The writer's side of all bells in a folder."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is created when missing. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._pipes: dict[str, int | None] = {}
        """By name; None until it is first rung."""
        self._listing = Listing(folder)
        self._listed: list[str] = []

    def ring(self) -> None:
        """Ring every bell; never blocks. Raises OSError when the folder is gone."""
        self._look()
        for name in list(self._pipes):
            try:
                self._ring(name)
            except BlockingIOError:
                # The pipe is full: it has been rung often enough.
                continue
            except OSError as error:
                if error.errno in _ABANDONED:
                    self._remove(name)
                else:
                    _logger.warning("a reader of the feed can't be woken", bell=name, reason=str(error))

    def _look(self) -> None:
        listed = self._listing.names()
        if listed is self._listed:
            return
        self._listed = listed
        names = {name for name in listed if not name.startswith(".")}
        for gone in self._pipes.keys() - names:
            self._let_go(gone)
        for name in names - self._pipes.keys():
            self._pipes[name] = None

    def _ring(self, name: str) -> None:
        pipe = self._pipes[name]
        if pipe is None:
            pipe = self._pipes[name] = os.open(self._folder / name, os.O_WRONLY | os.O_NONBLOCK)
        os.write(pipe, b"\x07")

    def _remove(self, name: str) -> None:
        self._let_go(name)
        (self._folder / name).unlink(missing_ok=True)

    def _let_go(self, name: str) -> None:
        pipe = self._pipes.pop(name)
        if pipe is not None:
            os.close(pipe)

    def close(self) -> None:
        """Let go of the bells; they stay where they are."""
        for name in list(self._pipes):
            self._let_go(name)
