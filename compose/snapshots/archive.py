"""The archive that a snapshot is: a tar file with a header, points as records of the log, and an end.

docs/snapshot-archives.md has the format. It is read from a file and never unpacked: what its members are called leads
to no path.
"""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar, cast

import msgspec
from crc32c import crc32c

from schemas.config import CollectionConfig, check_config
from schemas.errors import BadInputError, HeadwaterError
from schemas.operations import Upsert
from schemas.records import PointsRecord, decode_partition_record, encode_record
from schemas.rest.shard_keys import ShardKey

FORMAT = 1
HEADER = "header.json"
END = "end.json"
MAX_MEMBER_BYTES = 256 << 20
"""A record holds one point at least, however large that is."""

PartT = TypeVar("PartT")


class ArchivedShard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A shard whose points follow."""

    id: int
    key: ShardKey | None = None


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What is archived: the whole of the collection ``collection``, or one of its shards."""

    format: int = FORMAT
    collection: str
    whole: bool
    config: CollectionConfig
    shards: list[ArchivedShard]


class End(msgspec.Struct, frozen=True):
    """How many points there are, and crc32c of everything before, member after member."""

    points: int
    checksum: int


_header_decoder = msgspec.json.Decoder(Header)
_end_decoder = msgspec.json.Decoder(End)


class ArchiveWriter:
    """Writes an archive; ``close`` makes it whole."""

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._checksum = 0
        self._points = 0
        self._records = 0
        self._add(HEADER, msgspec.json.encode(header))

    def add(self, shard: int, upsert: Upsert) -> None:
        """Append points of a shard."""
        self._records += 1
        self._points += len(upsert.ids)
        value = encode_record(PointsRecord(uid=0, shard=shard, ops=[upsert]))
        self._add(f"points/{shard}/{self._records:012}", value)

    def close(self) -> None:
        """Write the end."""
        self._add(END, msgspec.json.encode(End(self._points, self._checksum)))
        self._tar.close()

    def _add(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))
        self._checksum = crc32c(data, self._checksum)


class ArchiveReader:
    """Reads an archive once, from its beginning to its end. Raises BadInputError for what is none, or damaged."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._checksum = 0
        self._points = 0
        try:
            self._tar = tarfile.open(path, "r:")  # noqa: SIM115
        except tarfile.TarError as error:
            raise self._unreadable(str(error)) from error
        try:
            self.header = self._header()
        except BaseException:
            self._tar.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def records(self) -> Iterator[tuple[int, Upsert]]:
        """(shard, points) of every record, those of a shard in id order. All of it was read only at the end."""
        while True:
            name, data = self._next()
            if name == END:
                self._check_end(data)
                return
            try:
                record = decode_partition_record(data)
            except HeadwaterError as error:
                raise self._unreadable(f"{name}: {error.message}") from error
            if not isinstance(record, PointsRecord) or len(record.ops) != 1 or not isinstance(record.ops[0], Upsert):
                raise self._unreadable(f"{name} is no record of points")
            self._take(data)
            self._points += len(record.ops[0].ids)
            yield record.shard, record.ops[0]

    def _header(self) -> Header:
        name, data = self._next()
        if name != HEADER:
            raise self._unreadable("it has no header: snapshots that Qdrant made can't be read, `headwater import` can")
        header = self._decode(data, _header_decoder)
        if header.format != FORMAT:
            raise self._unreadable(f"it is of format {header.format}, and this release reads format {FORMAT}")
        check_config(header.config)
        self._take(data)
        return header

    def _check_end(self, data: bytes) -> None:
        end = self._decode(data, _end_decoder)
        if (end.points, end.checksum) != (self._points, self._checksum):
            raise self._unreadable("its checksum is not that of what is in it")

    def _next(self) -> tuple[str, bytes]:
        try:
            member = self._tar.next()
            if member is None:
                raise self._unreadable("it has no end")
            if not member.isreg() or member.size > MAX_MEMBER_BYTES:
                raise self._unreadable(f"{member.name!r} does not belong there")
            file = self._tar.extractfile(member)
            data = b"" if file is None else file.read()
        except (tarfile.TarError, EOFError, OSError) as error:
            raise self._unreadable(str(error)) from error
        if len(data) != member.size:
            raise self._unreadable("it has no end")
        # tarfile remembers every member; an archive may have a million.
        cast("Any", self._tar).members.clear()
        return member.name, data

    def _take(self, data: bytes) -> None:
        self._checksum = crc32c(data, self._checksum)

    def _decode(self, data: bytes, decoder: msgspec.json.Decoder[PartT]) -> PartT:
        try:
            return decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._unreadable(str(error)) from error

    def _unreadable(self, reason: str) -> BadInputError:
        return BadInputError(f"Bad request: Snapshot file {self._name!r} can't be read: {reason}")
