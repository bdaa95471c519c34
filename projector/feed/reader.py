"""FeedReader: tails the newest generation of a feed."""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from projector.feed.bell import Bell, is_at
from projector.feed.errors import FeedBrokenError, NoFeedError
from projector.feed.files import BELLS, FeedFile, Listing, feed_files
from projector.feed.format import (
    FRAME_HEADER_BYTES,
    MAX_HEADER_BYTES,
    FeedSource,
    FrameRun,
    decode_frames,
    decode_header,
)

READ_BYTES = 1 << 20
"""How much is read at once; one frame may be larger."""
LOOK_AGAIN_SECONDS = 1.0
"""Only for bells that were not heard: a feed on a file system between machines, a folder that was deleted."""
LOOK_FOR_FEED_SECONDS = 0.1
"""While there is no feed yet."""


class Position(NamedTuple):
    """A place in a generation: the file's first sequence, and bytes from its beginning. Places sort."""

    file: int
    byte: int


class _OpenFile:
    """A feed file that is being read."""

    def __init__(self, path: Path) -> None:
        """Raises FeedBrokenError, FileNotFoundError."""
        self._path = path
        self._fd = os.open(path, os.O_RDONLY)
        try:
            self.header, self.at = decode_header(os.pread(self._fd, MAX_HEADER_BYTES, 0))
        except BaseException:
            os.close(self._fd)
            raise

    @property
    def deleted(self) -> bool:
        """Whether it is not where it was: deleted, or moved away with its folder."""
        return not is_at(self._path, self._fd)

    @property
    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def decode(self, sequence: int, read_bytes: int) -> FrameRun:
        """The whole frames from where the last ones ended, ``read_bytes`` of them or one larger one."""
        there = self.size - self.at
        if there < 0:
            raise FeedBrokenError("it has become shorter")
        run = self._decode(sequence, min(there, read_bytes))
        if not run.payloads and read_bytes < run.next_size <= there:
            run = self._decode(sequence, run.next_size)
        self.at += run.size
        return run

    def _decode(self, sequence: int, size: int) -> FrameRun:
        return decode_frames(os.pread(self._fd, size, self.at), sequence, self.header.salt)

    def close(self) -> None:
        os.close(self._fd)


class FeedReader:
    """One reader of a feed. Used on one event loop.

    Needs to write in the folder ``bells`` of the feed. After a FeedBrokenError, and at first, ``open`` begins anew.
    """

    def __init__(self, folder: Path, source: FeedSource, *, read_bytes: int = READ_BYTES) -> None:
        """``folder`` need not exist yet; it isn't made here, as whoever puts a state folder back does that."""
        self._folder = folder
        self._source = source
        self._read_bytes = max(read_bytes, FRAME_HEADER_BYTES)
        self._bell: Bell | None = None
        self._listing = Listing(folder)
        self._names: list[str] = []
        self._files: Sequence[FeedFile] = ()
        self._file: _OpenFile | None = None
        self._sequence = 0

    def open(self, *, newest: bool = False) -> memoryview:
        """Go to the oldest file of the newest generation, or to the newest; returns its checkpoint.

        Raises NoFeedError, FeedBrokenError when the file is another feed's or can't be read, and OSError.
        """
        self._close_file()
        files = self._list()
        if not files:
            raise NoFeedError(f"there is no feed in {self._folder}")
        self._hang_bell()
        first = files[-1] if newest else next(f for f in files if f.generation == files[-1].generation)
        opened = self._open_file(first)
        self._file = opened
        self._sequence = first.first_sequence
        header = opened.header
        if header.source != self._source or (header.generation, header.first_sequence) != first:
            self._close_file()
            raise FeedBrokenError(f"{first.name} in {self._folder} is of {header.source}, not of {self._source}")
        return self._checkpoint(opened)

    @property
    def begins_generation(self) -> bool:
        """Whether the open file is the first one of its generation."""
        return self._opened.header.first_sequence == 0

    @property
    def position(self) -> Position:
        """Where the next frame is."""
        file = self._opened
        return Position(file.header.first_sequence, file.at)

    def end(self) -> Position:
        """Where this generation ends now. Raises FeedBrokenError when a newer one has begun."""
        file = self._opened
        files = self._list()
        if files and files[-1].generation != file.header.generation:
            raise FeedBrokenError(f"the feed in {self._folder} has a new generation")
        newest = files[-1] if files else None
        if newest is None or newest.first_sequence == file.header.first_sequence:
            return Position(file.header.first_sequence, file.size)
        try:
            return Position(newest.first_sequence, (self._folder / newest.name).stat().st_size)
        except FileNotFoundError:
            raise FeedBrokenError(f"{newest.name} was cut from the feed in {self._folder}") from None

    def read(self) -> Sequence[memoryview]:
        """The payloads that are there now, about ``read_bytes`` of them; none when there are no more yet.

        Checkpoints are left out, and a frame that is not wholly written is not there yet. Raises FeedBrokenError when
        one is damaged or missing, or the projector has begun a new generation.
        """
        try:
            return self._read()
        except FeedBrokenError:
            self._close_file()
            raise

    async def to_end(self) -> AsyncGenerator[Sequence[memoryview]]:
        """The payloads up to where the generation ends now, run by run, without waiting for more.

        It ends before a frame that is not whole, too: nobody may be there any more to write the rest. If somebody is,
        the frame comes like any later one. Raises FeedBrokenError.
        """
        end = self.end()
        while self.position < end:
            await asyncio.sleep(0)
            payloads = self.read()
            if not payloads:
                return
            yield payloads

    async def some(self) -> Sequence[memoryview]:
        """The payloads that are there now; if there are none, those that are when there may be more. May be none.

        ``position`` has moved on where a file ended. Raises FeedBrokenError.
        """
        await asyncio.sleep(0)
        before = self.position
        payloads = self.read()
        if payloads or self.position != before:
            return payloads
        await self.wait()
        return self.read()

    async def next(self) -> Sequence[memoryview]:
        """Wait until there are payloads, and return them as ``read`` does. Raises FeedBrokenError."""
        # However fast frames come, others on the loop have their turns.
        await asyncio.sleep(0)
        while not (payloads := self.read()):
            await self.wait()
        return payloads

    async def wait(self) -> None:
        """Return when there may be more to read, or a feed to open."""
        if self._bell is None:
            await asyncio.sleep(LOOK_FOR_FEED_SECONDS)
        else:
            await self._bell.wait(LOOK_AGAIN_SECONDS)

    def close(self) -> None:
        """Close the file and take down the bell."""
        self._close_file()
        if self._bell is not None:
            self._bell.close()
            self._bell = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _opened(self) -> _OpenFile:
        if self._file is None:
            raise FeedBrokenError(f"the feed in {self._folder} is not open")
        return self._file

    def _hang_bell(self) -> None:
        if self._bell is not None and not self._bell.hangs:
            # The folder was moved away with it, or deleted, and this is another one of the same name.
            self._bell.close()
            self._bell = None
        if self._bell is None:
            try:
                self._bell = Bell(self._folder / BELLS)
            except FileNotFoundError:
                raise NoFeedError(f"{self._folder} is no longer there") from None

    def _checkpoint(self, file: _OpenFile) -> memoryview:
        """The first frame of a file, which is there since the file has its name."""
        run = self._decode(file, FRAME_HEADER_BYTES)
        if len(run.payloads) != 1:
            raise FeedBrokenError(f"the feed in {self._folder}: a file has no checkpoint")
        return run.payloads[0]

    def _decode(self, file: _OpenFile, read_bytes: int) -> FrameRun:
        try:
            run = file.decode(self._sequence, read_bytes)
        except FeedBrokenError as error:
            raise FeedBrokenError(f"the feed in {self._folder}, generation {file.header.generation}: {error}") from None
        self._sequence += len(run.payloads)
        return run

    def _read(self) -> Sequence[memoryview]:
        while True:
            file = self._opened
            run = self._decode(file, self._read_bytes)
            if run.payloads:
                return run.payloads
            deleted = file.deleted
            files = self._list()
            following = FeedFile(file.header.generation, self._sequence)
            if following in files:
                self._go_on(file, following)
                continue
            if deleted:
                reason = "was cut before this reader got there"
            elif any(other.generation > file.header.generation for other in files):
                reason = "has a new generation"
            else:
                return run.payloads
            # What came after the first look: all of it was written before the file was left.
            run = self._decode(file, self._read_bytes)
            if run.payloads:
                return run.payloads
            raise FeedBrokenError(f"the feed in {self._folder} {reason}")

    def _go_on(self, file: _OpenFile, following: FeedFile) -> None:
        opened = self._open_file(following)
        self._close_file()
        self._file = opened
        if opened.header != replace(file.header, first_sequence=self._sequence):
            raise FeedBrokenError(f"{following.name} in {self._folder} is of another feed")
        self._checkpoint(opened)

    def _list(self) -> Sequence[FeedFile]:
        try:
            names = self._listing.names()
        except FileNotFoundError:
            return ()
        if names is not self._names:
            self._names, self._files = names, feed_files(names)
        return self._files

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
