"""The frame: one record as it stands in a segment file. docs/embedded-log.md has it byte for byte."""

import struct
from functools import lru_cache
from typing import NamedTuple

from crc32c import crc32c

from ingest.log import Headers, LogRecord

MAGIC = b"\x9bHW\xf5"
VERSION = 1
HEADER_BYTES = 48
MAX_HEADERS = 2**16 - 1
MAX_HEADER_NAME_BYTES = 2**16 - 1

_HAS_KEY = 1
_HAS_VALUE = 2
_START = struct.Struct("<4sI")
_FIELDS = struct.Struct("<BBHQqIIIII")
_HEADER = struct.Struct("<4sIBBHQqIIIII")
_NAME_LENGTH = struct.Struct("<H")
_VALUE_LENGTH = struct.Struct("<I")


class NewRecord(NamedTuple):
    """A record on its way to the log: it gets its offset when it is written."""

    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class FrameHeader(NamedTuple):
    """The first 48 bytes of a frame, field by field, and ``size``: the bytes of the whole frame."""

    magic: bytes
    header_crc: int
    version: int
    flags: int
    header_count: int
    offset: int
    timestamp_ms: int
    group_index: int
    headers_length: int
    key_length: int
    value_length: int
    body_crc: int
    size: int

    @property
    def group_first(self) -> int:
        """The offset of the first record that was written and synced together with this one."""
        return self.offset - self.group_index


class UnknownFrameError(Exception):
    """The frame is intact, and a newer release wrote it. ``version`` is its format version."""

    def __init__(self, version: int) -> None:
        super().__init__(f"frame version {version}")
        self.version = version


def frame_size(record: NewRecord) -> int:
    """Bytes that ``record`` takes in a segment file."""
    return HEADER_BYTES + len(record.key or b"") + len(record.value or b"") + len(_encode_headers(record.headers))


def encode_frame(record: NewRecord, offset: int, group_index: int, salt: int) -> tuple[bytes, bytes]:
    """The frame of ``record`` in two pieces; the second is the value itself, so that it isn't copied here.

    ``salt`` is the segment file's: it starts the header's checksum, so that bytes inside a value never pass for a
    frame, whoever chose them.
    """
    headers = _encode_headers(record.headers)
    key = record.key or b""
    value = record.value or b""
    flags = (_HAS_KEY if record.key is not None else 0) | (_HAS_VALUE if record.value is not None else 0)
    front = headers + key
    fields = _FIELDS.pack(
        VERSION,
        flags,
        len(record.headers),
        offset,
        record.timestamp_ms,
        group_index,
        len(headers),
        len(key),
        len(value),
        crc32c(value, crc32c(front)),
    )
    return _START.pack(MAGIC, crc32c(fields, salt)) + fields + front, value


def parse_header(data: bytes, at: int, salt: int) -> FrameHeader | None:
    """The frame header at index ``at`` of ``data``, or None where there is no intact one.

    Raises UnknownFrameError for an intact header of a newer format.
    """
    if len(data) - at < HEADER_BYTES:
        return None
    fields = _HEADER.unpack_from(data, at)
    if fields[0] != MAGIC or crc32c(data[at + _START.size : at + HEADER_BYTES], salt) != fields[1]:
        return None
    header = FrameHeader._make((*fields, HEADER_BYTES + sum(fields[-4:-1])))
    if header.version != VERSION or header.flags > _HAS_KEY | _HAS_VALUE:
        raise UnknownFrameError(header.version)
    return header


def body_is_intact(header: FrameHeader, data: bytes, at: int) -> bool:
    """Whether the whole body of the frame that starts at index ``at`` is in ``data`` and as it was written."""
    if len(data) - at < header.size:
        return False
    return crc32c(memoryview(data)[at + HEADER_BYTES : at + header.size]) == header.body_crc


def decode_record(header: FrameHeader, data: bytes, at: int, partition: int) -> LogRecord:
    """The record of the frame at index ``at`` of ``data``, whose header and body are known to be intact."""
    key_at = at + HEADER_BYTES + header.headers_length
    value_at = key_at + header.key_length
    return LogRecord(
        partition=partition,
        offset=header.offset,
        timestamp_ms=header.timestamp_ms,
        key=data[key_at:value_at] if header.flags & _HAS_KEY else None,
        value=data[value_at : at + header.size] if header.flags & _HAS_VALUE else None,
        headers=_decode_headers(data, at + HEADER_BYTES, header.header_count) if header.header_count else (),
    )


@lru_cache(maxsize=4)
def _encode_headers(headers: Headers) -> bytes:
    parts: list[bytes] = []
    for name, value in headers:
        encoded = name.encode()
        parts += (_NAME_LENGTH.pack(len(encoded)), encoded, _VALUE_LENGTH.pack(len(value)), value)
    return b"".join(parts)


def _decode_headers(data: bytes, at: int, count: int) -> Headers:
    headers: list[tuple[str, bytes]] = []
    for _ in range(count):
        name_at = at + _NAME_LENGTH.size
        name_end = name_at + _NAME_LENGTH.unpack_from(data, at)[0]
        value_at = name_end + _VALUE_LENGTH.size
        at = value_at + _VALUE_LENGTH.unpack_from(data, name_end)[0]
        headers.append((data[name_at:name_end].decode(), data[value_at:at]))
    return tuple(headers)
