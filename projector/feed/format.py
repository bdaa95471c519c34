"""A feed file's header and frames, byte for byte as docs/feed-format.md has them."""

from dataclasses import dataclass
from struct import Struct

import msgspec
from crc32c import crc32c

from projector.feed.errors import FeedBrokenError
from projector.frames import Frame

MAGIC = b"HWfeed\r\n"
VERSION = 1
_FIXED = Struct("<8sHHIQQqI")
_CRC = Struct("<I")
MAX_HEADER_BYTES = _FIXED.size + (1 << 16) + _CRC.size

_FRAME = Struct("<IIQI")
_CHECKED = Struct("<IIQ")
FRAME_HEADER_BYTES = _FRAME.size

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Frame)


@dataclass(frozen=True, slots=True)
class FeedHeader:
    """How a feed file begins.

    The file holds the frames from ``first_sequence`` on, of the records after offset ``after``. ``salt`` is drawn for
    each generation and starts the frames' checksums, so that no other file's frame passes for one of this generation.
    """

    partition: int
    generation: int
    identity: str
    first_sequence: int
    after: int
    salt: int


def encode_header(header: FeedHeader) -> bytes:
    """The first bytes of a file."""
    identity = header.identity.encode()
    fixed = _FIXED.pack(
        MAGIC,
        VERSION,
        len(identity),
        header.partition,
        header.generation,
        header.first_sequence,
        header.after,
        header.salt,
    )
    return fixed + identity + _CRC.pack(crc32c(fixed + identity))


def decode_header(data: bytes) -> tuple[FeedHeader, int]:
    """The header that ``data`` begins with, and its size in bytes. Raises FeedBrokenError."""
    if data[: len(MAGIC)] != MAGIC or len(data) < _FIXED.size:
        raise FeedBrokenError("not a feed file")
    _, version, length, partition, generation, first_sequence, after, salt = _FIXED.unpack_from(data)
    if version != VERSION:
        raise FeedBrokenError(f"a feed file of version {version}; this release reads version {VERSION}")
    end = _FIXED.size + length
    if len(data) < end + _CRC.size or _CRC.unpack_from(data, end)[0] != crc32c(data[:end]):
        raise FeedBrokenError("a feed file's header is damaged")
    identity = data[_FIXED.size : end].decode()
    return FeedHeader(partition, generation, identity, first_sequence, after, salt), end + _CRC.size


def encode_frame(frame: Frame, salt: int) -> bytes:
    """A frame as it stands in a file."""
    payload = _encoder.encode(frame)
    checked = _CHECKED.pack(len(payload), crc32c(payload), frame.sequence)
    return b"".join((checked, _CRC.pack(crc32c(checked, salt)), payload))


@dataclass(frozen=True, slots=True)
class FrameRun:
    """What ``decode_frames`` found.

    ``size``: how many bytes the frames take. ``next_size``: the bytes of the frame after them, 0 when not even its
    header is whole.
    """

    frames: list[Frame]
    size: int
    next_size: int


def decode_frames(data: bytes, sequence: int, salt: int) -> FrameRun:
    """The whole frames that ``data`` begins with, the first of them ``sequence``. Raises FeedBrokenError."""
    frames: list[Frame] = []
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
            return FrameRun(frames, at, FRAME_HEADER_BYTES + length)
        payload = view[start : start + length]
        if crc32c(payload) != checksum:
            raise FeedBrokenError(f"frame {sequence} is damaged")
        frames.append(_decode_frame(payload, sequence))
        at = start + length
        sequence += 1
    return FrameRun(frames, at, 0)


def _decode_frame(payload: memoryview, sequence: int) -> Frame:
    try:
        return _decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise FeedBrokenError(f"frame {sequence} can't be read: {error}") from error
