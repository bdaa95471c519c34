"""A flat file: named byte sections, then a checksummed directory of them (docs/segment-files.md).

Sections are written one after another, each in as many pieces as its producer likes, so a writer needs no more
memory than its largest piece; readers map the whole file and see each section as an array without copying it.
"""

import errno
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO, TypeVar

import msgspec
import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from projector.segments.errors import SegmentDamagedError
from projector.segments.mapping import MappedFile, map_file

FORMAT_VERSION = 1
HEAD = b"HWFLAT\x01\n"
TAIL_MAGIC = b"\nHWFLEND"
_TRAILER = Struct("<QII8s")
ALIGNMENT = 64
_CRC_PIECE = 1 << 24
_PACED_PIECE = 1 << 20
_READ_PIECE = 1 << 18
"""What is read at once: of this size, buffers are memory that was used before. From 1 MiB on (``projector.malloc``)
each is new from the system, which takes more than twice as long as reading and comparing: 27 MB in 7.8 ms, and in 3.2.
"""
NOT_ITS_FAULT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM})
"""Errors of opening that say nothing about the file: rebuilding it would not help."""

ScalarT = TypeVar("ScalarT", bound=np.generic)
MetaT = TypeVar("MetaT")


class Section(msgspec.Struct, frozen=True, array_like=True):
    """Where a section lies in its file, and the CRC-32C of its bytes."""

    offset: int
    length: int
    crc: int


class Directory(msgspec.Struct, frozen=True):
    """What the end of a flat file says about it. ``kind`` is the file's purpose, ``meta`` belongs to that."""

    version: int
    kind: str
    sections: dict[str, Section]
    meta: msgspec.Raw


_directory_decoder = msgspec.json.Decoder(Directory)


class FlatFileWriter:
    """Writes one flat file. Use as a context manager; the file is complete only after ``finish``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._sections: dict[str, Section] = {}
        self._file.write(HEAD)

    def __enter__(self) -> "FlatFileWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @contextmanager
    def section(self, name: str) -> Generator["SectionWriter"]:
        """Write a section in pieces. Only one section can be open at a time."""
        self._pad()
        start = self._file.tell()
        writer = SectionWriter(self)
        yield writer
        self._sections[name] = Section(start, self._file.tell() - start, writer.crc)

    def put(self, name: str, data: bytes | bytearray | NDArray[Any]) -> None:
        """Write a section in one piece."""
        with self.section(name) as section:
            section.write(data)

    def write_through(self, data: bytes | bytearray | memoryview) -> None:
        """Append to the section being written; for SectionWriter alone."""
        self._file.write(data)

    def map(self, name: str, dtype: type[ScalarT] | np.dtype[ScalarT]) -> NDArray[ScalarT]:
        """A section already written, as a read-only array mapped from the file."""
        self._file.flush()
        section = self._sections[name]
        if section.length == 0:
            return np.empty(0, dtype)
        mapped = map_file(self._path).data
        count = section.length // np.dtype(dtype).itemsize
        return np.frombuffer(mapped, dtype, count, section.offset)

    def finish(self, kind: str, meta: object, *, durable: bool = True) -> None:
        """Write the directory and, if ``durable``, make the file survive power loss."""
        directory = Directory(FORMAT_VERSION, kind, self._sections, msgspec.Raw(msgspec.json.encode(meta)))
        encoded = msgspec.json.encode(directory)
        self._pad()
        start = self._file.tell()
        self._file.write(encoded)
        self._file.write(_TRAILER.pack(start, len(encoded), crc32c(encoded), TAIL_MAGIC))
        self._file.flush()
        if durable:
            os.fsync(self._file.fileno())

    def _pad(self) -> None:
        self._file.write(bytes(-self._file.tell() % ALIGNMENT))


class SectionWriter:
    """Appends to the open section of a FlatFileWriter and keeps its checksum."""

    def __init__(self, file: FlatFileWriter) -> None:
        self._file = file
        self.crc = 0

    def write(self, data: bytes | bytearray | memoryview | NDArray[Any]) -> None:
        """Append bytes, or an array's values, which must be little endian."""
        if isinstance(data, np.ndarray):
            data = np.ascontiguousarray(data).tobytes()
        self.crc = crc32c(data, self.crc)
        self._file.write_through(data)


class FlatFile:
    """A flat file, memory-mapped. Arrays taken from it stay valid after the file is deleted."""

    def __init__(self, path: Path, kind: str) -> None:
        """Map the file and check its directory. Raises SegmentDamagedError, OSError for lack of memory or rights."""
        self.path = path
        self.doubted = False
        """Whether something in it could not be read since its checksums were compared."""
        self._map, self._inode = _map_file(path)
        self.directory = _read_directory(path, self._map)
        if self.directory.kind != kind:
            raise SegmentDamagedError(f"{path}: is a {self.directory.kind} file, not a {kind} file")

    def __contains__(self, section: str) -> bool:
        return section in self.directory.sections

    @property
    def size(self) -> int:
        """The file's length in bytes, as it is mapped."""
        return len(self._map)

    @property
    def data(self) -> memoryview:
        """All its bytes, as they are mapped."""
        return self._map

    def meta(self, decoder: msgspec.json.Decoder[MetaT]) -> MetaT:
        """The directory's meta, decoded. Raises SegmentDamagedError."""
        try:
            return decoder.decode(self.directory.meta)
        except msgspec.MsgspecError as error:
            raise SegmentDamagedError(f"{self.path}: {error}") from error

    def view(self, section: str) -> memoryview:
        """A section's bytes. Raises SegmentDamagedError when the file has no such section."""
        place = self._place(section)
        return self._map[place.offset : place.offset + place.length]

    def array(self, section: str, dtype: type[ScalarT] | np.dtype[ScalarT]) -> NDArray[ScalarT]:
        """A section as a read-only array. Raises SegmentDamagedError."""
        place = self._place(section)
        item = np.dtype(dtype)
        if place.length % item.itemsize:
            raise SegmentDamagedError(f"{self.path}: section {section} does not hold whole values")
        return np.frombuffer(self._map, item, place.length // item.itemsize, place.offset)

    def damage(self, reason: str) -> SegmentDamagedError:
        """The error for sections that can't be read, though their directory is good."""
        self.doubted = True
        return SegmentDamagedError(
            f"{self.path}: {reason}: it is compared with its checksums, and rebuilt from the state when it is damaged"
        )

    def check(self, *sections: str) -> None:
        """Compare the checksums of some sections, or of all when none is named. Raises SegmentDamagedError."""
        for name in sections or tuple(self.directory.sections):
            data = self.view(name)
            crc = 0
            for at in range(0, len(data), _CRC_PIECE):
                crc = crc32c(data[at : at + _CRC_PIECE], crc)
            if crc != self._place(name).crc:
                raise SegmentDamagedError(f"{self.path}: section {name} does not have its checksum")

    def check_on_disk(self, section: str) -> None:
        """Compare a section's checksum without reading through the mapping, whose pages would stay with the process.

        Raises SegmentDamagedError, OSError for lack of memory or rights.
        """
        place = self._place(section)
        try:
            with self.path.open("rb") as file:
                for _ in _read_section(file, self.path, section, place, _READ_PIECE):
                    pass
        except OSError as error:
            if error.errno in NOT_ITS_FAULT:
                raise
            raise SegmentDamagedError(f"{self.path}: {error}") from error

    def reread(self) -> Iterator[int]:
        """Compare all checksums by reading the file anew, a piece with every step, which gives its size in bytes.

        Not through the mapping, where what a disk can't read ends the process. Ends early where the file was deleted,
        or has given its name to another: what is mapped doesn't change by that. Raises SegmentDamagedError, OSError
        for lack of memory or rights.
        """
        self.doubted = False
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                if (status.st_dev, status.st_ino) != self._inode:
                    return
                for name, place in self.directory.sections.items():
                    yield from _read_section(file, self.path, name, place, _PACED_PIECE)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno in NOT_ITS_FAULT:
                raise
            raise SegmentDamagedError(f"{self.path}: {error}") from error

    def _place(self, section: str) -> Section:
        try:
            return self.directory.sections[section]
        except KeyError:
            raise SegmentDamagedError(f"{self.path}: section {section} is missing") from None


def _read_section(file: BinaryIO, path: Path, name: str, place: Section, size: int) -> Iterator[int]:
    file.seek(place.offset)
    crc, left = 0, place.length
    while piece := file.read(min(left, size)):
        crc = crc32c(piece, crc)
        left -= len(piece)
        yield len(piece)
    if left or crc != place.crc:
        raise SegmentDamagedError(f"{path}: section {name} does not have its checksum")


def _map_file(path: Path) -> MappedFile:
    try:
        return map_file(path)
    except OSError as error:
        if error.errno in NOT_ITS_FAULT:
            raise
        raise SegmentDamagedError(f"{path}: {error}") from error
    except ValueError as error:  # it is empty
        raise SegmentDamagedError(f"{path}: {error}") from error


def _read_directory(path: Path, data: memoryview) -> Directory:
    if len(data) < len(HEAD) + _TRAILER.size:
        raise SegmentDamagedError(f"{path}: has only {len(data)} bytes")
    start, length, crc, magic = _TRAILER.unpack_from(data, len(data) - _TRAILER.size)
    if bytes(data[: len(HEAD)]) != HEAD or magic != TAIL_MAGIC:
        raise SegmentDamagedError(f"{path}: does not begin and end as a flat file does")
    if start + length + _TRAILER.size != len(data):
        raise SegmentDamagedError(f"{path}: its directory is not where the trailer says")
    encoded = data[start : start + length]
    if crc32c(encoded) != crc:
        raise SegmentDamagedError(f"{path}: its directory does not have its checksum")
    try:
        directory = _directory_decoder.decode(encoded)
    except msgspec.MsgspecError as error:
        raise SegmentDamagedError(f"{path}: {error}") from error
    if directory.version > FORMAT_VERSION:
        raise SegmentDamagedError(f"{path}: has version {directory.version}, newer than {FORMAT_VERSION}")
    if any(s.offset + s.length > start for s in directory.sections.values()):
        raise SegmentDamagedError(f"{path}: a section lies outside the file")
    return directory


def file_checksum(path: Path) -> tuple[int, int]:
    """A whole file's length and CRC-32C."""
    length = crc = 0
    with path.open("rb") as file:
        while piece := file.read(_READ_PIECE):
            length += len(piece)
            crc = crc32c(piece, crc)
    return length, crc
