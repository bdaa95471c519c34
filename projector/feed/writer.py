"""FeedWriter: appends frames to the files of one generation and rings the readers' bells."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from projector.feed.bell import Ringer
from projector.feed.files import BELLS, NEW_SUFFIX, FeedFile, list_files
from projector.feed.format import FeedHeader, FeedSource, encode_frames, encode_header


class FeedWriter:
    """The one writer of a feed: whoever holds the state's LOCK.

    Nothing is synced. The feed is derived from the state, and a writer that starts makes a new generation.
    """

    def __init__(self, folder: Path, source: FeedSource, checkpoint: bytes) -> None:
        """Begin a generation with the checkpoint of its first file, which readers don't see before ``show``.

        Raises OSError.
        """
        self._folder = folder
        self._source = source
        self._ringer = Ringer(folder / BELLS)
        old = list_files(folder)
        self.generation = old[-1].generation + 1 if old else 1
        self._salt = secrets.randbits(32)
        self._files: list[FeedFile] = []
        self._next = 0
        self._shown = False
        self._fd, size = self._create(checkpoint)
        self.size = size
        """How many bytes the file that grows has."""

    @property
    def files(self) -> Sequence[FeedFile]:
        """The files of this generation, in order; the last one grows."""
        return self._files

    def show(self) -> None:
        """Let readers see the generation, and drop the older ones. Raises OSError."""
        self._reveal(self._files[-1])
        self._shown = True
        for unfinished in self._folder.glob(f"*{NEW_SUFFIX}"):
            unfinished.unlink()
        for file in list_files(self._folder):
            if file.generation < self.generation:
                (self._folder / file.name).unlink(missing_ok=True)
        self._ringer.ring()

    def write(self, payloads: Sequence[bytes]) -> None:
        """Append a frame for each payload, in one write, and ring once.

        Raises OSError: when the disk is full, readers see the first ones of the frames at most, and the same payloads
        may be written again; when the folder is gone, this feed is lost.
        """
        if not payloads:
            return
        data = encode_frames(payloads, self._next, self._salt)
        _write_at(self._fd, data, self.size)
        self.size += len(data)
        self._next += len(payloads)
        if self._shown:
            self._ringer.ring()

    def roll(self, checkpoint: bytes) -> None:
        """Go on in a new file that begins with ``checkpoint``. Raises OSError; the old file goes on then."""
        fd, size = self._create(checkpoint)
        try:
            self._reveal(self._files[-1])
        except BaseException:
            os.close(fd)
            self._files.pop()
            self._next -= 1
            raise
        os.close(self._fd)
        self._fd, self.size = fd, size

    def drop_first(self) -> None:
        """Delete the oldest file, which must not be the one that grows."""
        (self._folder / self._files[0].name).unlink(missing_ok=True)
        del self._files[0]

    def close(self) -> None:
        """Close the files. The generation stays, for readers that are not done with it."""
        os.close(self._fd)
        self._ringer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _create(self, checkpoint: bytes) -> tuple[int, int]:
        """Make the next file, hidden; returns its descriptor and size in bytes."""
        file = FeedFile(self.generation, self._next)
        header = encode_header(FeedHeader(self._source, self.generation, self._next, self._salt))
        data = header + encode_frames([checkpoint], self._next, self._salt)
        fd = os.open(self._hidden(file), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            _write_at(fd, data, 0)
        except BaseException:
            os.close(fd)
            raise
        self._files.append(file)
        self._next += 1
        return fd, len(data)

    def _reveal(self, file: FeedFile) -> None:
        self._hidden(file).rename(self._folder / file.name)

    def _hidden(self, file: FeedFile) -> Path:
        return self._folder / (file.name + NEW_SUFFIX)


def _write_at(fd: int, data: bytes, position: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, position)
        position += written
        view = view[written:]
