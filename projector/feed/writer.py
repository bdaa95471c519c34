"""FeedWriter: appends frames to the files of one generation and rings the readers' bells."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from projector.feed.bell import Ringer
from projector.feed.files import BELLS, NEW_SUFFIX, FeedFile, list_files
from projector.feed.format import FeedHeader, encode_frame, encode_header
from projector.frames import Frame

FILE_BYTES = 64 << 20
"""A file that is this large takes no further record."""


class FeedWriter:
    """The one writer of a partition's feed: whoever holds the state's LOCK.

    Nothing is synced. The feed is derived from the state, and a writer that starts makes a new generation.
    """

    def __init__(
        self, folder: Path, partition: int, identity: str, after: int, *, file_bytes: int = FILE_BYTES
    ) -> None:
        """Begin a new generation of the feed in ``folder``, of the records after offset ``after``; drop older ones.

        ``identity`` is the log's. Raises OSError.
        """
        self._folder = folder
        self._file_bytes = file_bytes
        self._ringer = Ringer(folder / BELLS)
        old = list_files(folder)
        self._header = FeedHeader(
            partition,
            generation=old[-1].generation + 1 if old else 1,
            identity=identity,
            first_sequence=0,
            after=after,
            salt=secrets.randbits(32),
        )
        self._files: list[FeedHeader] = [self._header]
        self._next = 0
        self._after = after
        self._between_records = True
        self._fd, self._position = self._create(self._header)
        for unfinished in folder.glob(f"*{NEW_SUFFIX}"):
            unfinished.unlink()
        for file in old:
            (folder / file.name).unlink(missing_ok=True)
        self._ringer.ring()

    @property
    def generation(self) -> int:
        """The number of this generation."""
        return self._header.generation

    def write(self, frame: Frame) -> None:
        """Append one frame. See ``write_all``."""
        self.write_all((frame,))

    def write_all(self, frames: Sequence[Frame]) -> None:
        """Append frames, whose sequence goes on where the last one's ended, in one write; ring once.

        Raises ValueError for another sequence. Raises OSError: when the disk is full, readers see the first ones of the
        frames at most, and the same frames may be written again; when the folder is gone, this feed is lost.
        """
        if not frames:
            return
        for sequence, frame in enumerate(frames, self._next):
            if frame.sequence != sequence:
                raise ValueError(f"frame {frame.sequence} can't be written as frame {sequence}")
        if self._is_full() and self._between_records:
            self._roll()
        data = b"".join([encode_frame(frame, self._header.salt) for frame in frames])
        _write_at(self._fd, data, self._position)
        self._position += len(data)
        self._next += len(frames)
        finished = [frame.offset for frame in frames if frame.final]
        self._after = finished[-1] if finished else self._after
        self._between_records = frames[-1].final
        self._ringer.ring()

    def cut(self, covered: int) -> None:
        """Drop the files that only hold frames at or below offset ``covered``: the segments of every shard have them.

        The file being written stays.
        """
        while len(self._files) > 1 and self._files[1].after <= covered:
            self._path(self._files.pop(0)).unlink(missing_ok=True)

    def _is_full(self) -> bool:
        # An empty file is never full: the one after it would have its name.
        return self._position >= self._file_bytes and self._next > self._files[-1].first_sequence

    def _roll(self) -> None:
        header = replace(self._header, first_sequence=self._next, after=self._after)
        fd, position = self._create(header)
        os.close(self._fd)
        self._fd, self._position = fd, position
        self._files.append(header)

    def _create(self, header: FeedHeader) -> tuple[int, int]:
        """Make a file; it gets its name when its header is in it. Returns its descriptor and size in bytes."""
        path = self._path(header)
        unfinished = path.with_name(path.name + NEW_SUFFIX)
        data = encode_header(header)
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            _write_at(fd, data, 0)
            unfinished.rename(path)
        except BaseException:
            os.close(fd)
            raise
        return fd, len(data)

    def _path(self, header: FeedHeader) -> Path:
        return self._folder / FeedFile(header.generation, header.first_sequence).name

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


def _write_at(fd: int, data: bytes, position: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, position)
        position += written
        view = view[written:]
