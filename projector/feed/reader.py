"""FeedReader: tails the newest generation of a feed."""

import os
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from projector.feed.bell import Bell
from projector.feed.errors import FeedBrokenError, NoFeedError
from projector.feed.files import BELLS, FeedFile, list_files
from projector.feed.format import (
    FRAME_HEADER_BYTES,
    MAX_HEADER_BYTES,
    FeedHeader,
    FrameRun,
    decode_frames,
    decode_header,
)
from projector.frames import Frame

READ_BYTES = 4 << 20
"""How much is read at once; one frame may be larger."""
LOOK_AGAIN_SECONDS = 1.0
"""Only for bells that were not heard: a feed on a file system between machines, a folder that was deleted."""


class _OpenFile:
    """A feed file that is being read."""

    def __init__(self, path: Path) -> None:
        """Raises FeedBrokenError, FileNotFoundError."""
        self._path = path
        self._fd = os.open(path, os.O_RDONLY)
        try:
            self.header, self.position = decode_header(os.pread(self._fd, MAX_HEADER_BYTES, 0))
        except BaseException:
            os.close(self._fd)
            raise

    @property
    def deleted(self) -> bool:
        return os.fstat(self._fd).st_nlink == 0

    def decode(self, sequence: int, read_bytes: int) -> FrameRun:
        """The whole frames from where the last ones ended, ``read_bytes`` of them or one larger one."""
        there = os.fstat(self._fd).st_size - self.position
        if there < 0:
            raise FeedBrokenError("it has become shorter")
        run = self._decode(sequence, min(there, read_bytes))
        if not run.frames and read_bytes < run.next_size <= there:
            run = self._decode(sequence, run.next_size)
        return run

    def _decode(self, sequence: int, size: int) -> FrameRun:
        return decode_frames(os.pread(self._fd, size, self.position), sequence, self.header.salt)

    def close(self) -> None:
        os.close(self._fd)


class FeedReader:
    """One reader of a partition's feed. Used on one event loop.

    Needs to write in the folder ``bells`` of the feed. After a FeedBrokenError, and at first, ``open`` says where to
    read from.
    """

    def __init__(self, folder: Path, *, read_bytes: int = READ_BYTES) -> None:
        """``folder`` need not exist yet. Raises OSError."""
        self._folder = folder
        self._read_bytes = max(read_bytes, FRAME_HEADER_BYTES)
        self._bell = Bell(folder / BELLS)
        self._file: _OpenFile | None = None
        self._sequence = 0
        self._from = 0

    def open(self, after: int) -> FeedHeader:
        """Go to the newest generation, to the frames of the records after offset ``after``.

        Returns the header of the file they begin in: ``partition`` and ``identity`` say what it is a feed of. Raises
        NoFeedError, and FeedBrokenError when the feed begins later, or can't be read.
        """
        self._close_file()
        files = list_files(self._folder)
        if not files:
            raise NoFeedError(f"there is no feed in {self._folder}")
        newest = files[-1].generation
        for file in reversed([file for file in files if file.generation == newest]):
            opened = self._open_file(file)
            if opened.header.after <= after:
                self._file = opened
                self._sequence = file.first_sequence
                self._from = after
                return opened.header
            opened.close()
        raise FeedBrokenError(f"the feed in {self._folder} has no frames right after offset {after} any more")

    def read(self) -> list[Frame]:
        """The frames that are there now, about ``read_bytes`` of them; none when there are no more yet.

        A frame that is not wholly written is not there yet. Raises FeedBrokenError when one is damaged or missing, or
        the projector has begun a new generation.
        """
        try:
            return self._read()
        except BaseException:
            self._close_file()
            raise

    async def wait(self) -> None:
        """Return when there may be more to read, or a feed to open."""
        await self._bell.wait(LOOK_AGAIN_SECONDS)

    def close(self) -> None:
        """Close the file and take down the bell."""
        self._close_file()
        self._bell.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> list[Frame]:
        while True:
            if self._file is None:
                raise FeedBrokenError(f"the feed in {self._folder} is not open")
            run = self._decode(self._file)
            self._file.position += run.size
            self._sequence += len(run.frames)
            frames = [frame for frame in run.frames if frame.offset > self._from]
            if frames:
                return frames
            if not run.frames and not self._go_on(self._file):
                return []

    def _decode(self, file: _OpenFile) -> FrameRun:
        try:
            return file.decode(self._sequence, self._read_bytes)
        except FeedBrokenError as error:
            raise FeedBrokenError(f"the feed in {self._folder}, generation {file.header.generation}: {error}") from None

    def _go_on(self, file: _OpenFile) -> bool:
        """At the end of ``file``: go to the one that begins with the next frame, if there is one."""
        deleted = file.deleted
        files = list_files(self._folder)
        following = FeedFile(file.header.generation, self._sequence)
        if following.first_sequence != file.header.first_sequence and following in files:
            opened = self._open_file(following)
            self._close_file()
            self._file = opened
            expected = replace(file.header, first_sequence=self._sequence, after=opened.header.after)
            if opened.header != expected:
                raise FeedBrokenError(f"{following.name} in {self._folder} is of another feed")
            return True
        if deleted:
            raise FeedBrokenError(f"the feed in {self._folder} was cut before this reader got there")
        if any(other.generation > file.header.generation for other in files):
            raise FeedBrokenError(f"the feed in {self._folder} has a new generation")
        return False

    def _open_file(self, file: FeedFile) -> _OpenFile:
        try:
            return _OpenFile(self._folder / file.name)
        except FileNotFoundError:
            raise FeedBrokenError(f"{file.name} was cut from the feed in {self._folder}") from None
        except FeedBrokenError as error:
            raise FeedBrokenError(f"{file.name} in {self._folder}: {error}") from None

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
