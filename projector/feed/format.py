"""A feed file's header and frames, byte for byte as docs/feed-format.md has them. Payloads are only bytes here."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

from crc32c import crc32c

from projector.feed.errors import FeedBrokenError

MAGIC = b"HWfeed\r\n"
VERSION = 2
_FIXED = Struct("<8sHHHIQQI")
_CRC = Struct("<I")
MAX_HEADER_BYTES = _FIXED.size + (1 << 16) + _CRC.size

_FRAME = Struct("<IIQI")
_CHECKED = Struct("<IIQ")
FRAME_HEADER_BYTES = _FRAME.size


class FeedKind(IntEnum):
    """What a feed is about."""

    POINTS = 1
    CATALOG = 2


@dataclass(frozen=True, slots=True)
class FeedSource:
    """Which feed it is. ``partition`` is 0 for the catalog; ``identity`` is the log's."""

    kind: FeedKind
    partition: int
    identity: str


@dataclass(frozen=True, slots=True)
class FeedHeader:
    """How a feed file begins.

    The file holds the frames from ``first_sequence`` on. ``salt`` is drawn for each generation and starts the frames'
    checksums, so that no other file's frame passes for one of this generation.
    """

    source: FeedSource
    generation: int
    first_sequence: int
    salt: int


@dataclass(frozen=True, slots=True)
class FrameRun:
    """What ``decode_frames`` found.

    ``payloads``: of whole frames. ``size``: how many bytes these frames take. ``next_size``: the bytes of the frame
    after them, 0 when not even its header is whole.
    """

    payloads: list[memoryview]
    size: int
    next_size: int


def encode_header(header: FeedHeader) -> bytes:
    """The first bytes of a file."""
    identity = header.source.identity.encode()
    fixed = _FIXED.pack(
        MAGIC,
        VERSION,
        header.source.kind,
        len(identity),
        header.source.partition,
        header.generation,
        header.first_sequence,
        header.salt,
    )
    return fixed + identity + _CRC.pack(crc32c(fixed + identity))


def decode_header(data: bytes) -> tuple[FeedHeader, int]:
    """The header that ``data`` begins with, and its size in bytes. Raises FeedBrokenError."""
    if data[: len(MAGIC)] != MAGIC or len(data) < _FIXED.size:
        raise FeedBrokenError("not a feed file")
    _, version, kind, length, partition, generation, first_sequence, salt = _FIXED.unpack_from(data)
    if version != VERSION:
        raise FeedBrokenError(f"a feed file of version {version}; this release reads version {VERSION}")
    end = _FIXED.size + length
    if len(data) < end + _CRC.size or _CRC.unpack_from(data, end)[0] != crc32c(data[:end]):
        raise FeedBrokenError("a feed file's header is damaged")
    if kind not in list(FeedKind):
        raise FeedBrokenError(f"a feed file of kind {kind}, which this release does not know")
    source = FeedSource(FeedKind(kind), partition, data[_FIXED.size : end].decode())
    return FeedHeader(source, generation, first_sequence, salt), end + _CRC.size


def encode_frames(payloads: Sequence[bytes], sequence: int, salt: int) -> bytes:
    """Frames as they stand in a file, the first of them ``sequence``."""
    pieces: list[bytes] = []
    for number, payload in enumerate(payloads, sequence):
        checked = _CHECKED.pack(len(payload), crc32c(payload), number)
        pieces += (checked, _CRC.pack(crc32c(checked, salt)), payload)
    return b"".join(pieces)


def decode_frames(data: bytes, sequence: int, salt: int) -> FrameRun:
    """The whole frames that ``data`` begins with, the first of them ``sequence``. Raises FeedBrokenError."""
    payloads: list[memoryview] = []
    view = memoryview(data)
    at = 0
    while len(data) - at >= FRAME_HEADER_BYTES:
        length, checksum, found, header_checksum = _FRAME.unpack_from(data, at)
        if crc32c(view[at : at + _CHECKED.size], salt) != header_checksum:
            raise FeedBrokenError(f"the header of frame {sequence} is damaged")
        if found != sequence:
            raise FeedBrokenError(f"frame {found} stands where frame {sequence} belongs")
        start = at + FRAME_HEADER_BYTES
        if start + length > len(data):
            return FrameRun(payloads, at, FRAME_HEADER_BYTES + length)
        payload = view[start : start + length]
        if crc32c(payload) != checksum:
            raise FeedBrokenError(f"frame {sequence} is damaged")
        payloads.append(payload)
        at = start + length
        sequence += 1
    return FrameRun(payloads, at, 0)
