"""Decoding a batch whose header names aren't UTF-8: clients in C write any bytes, and aiokafka refuses them.

A record that can't be decoded would hold up its partition for ever, so here such names are shown with escapes. Source
of the format: the Kafka protocol guide, "Record Batch", magic 2.
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode

_BATCH = struct.Struct(">qiibIhiqqqhii")
_CODEC_MASK = 0x07
_LOG_APPEND_TIME = 0x08
_LENGTH_END = 12
_DECODERS: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: gzip_decode,
    2: snappy_decode,
    3: lz4_decode,
    4: zstd_decode,
}


class DecodedRecord(NamedTuple):
    """A record, with the names that aiokafka gives its fields."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def decode_batch(data: bytes, base_offset: int) -> Iterator[DecodedRecord]:
    """The records of the batch at ``base_offset`` among the batches in ``data``, which must be intact."""
    start = 0
    while struct.unpack_from(">q", data, start)[0] != base_offset:
        start += _LENGTH_END + struct.unpack_from(">i", data, start + 8)[0]
    _, length, _, _, _, attributes, _, first_timestamp, last_timestamp, *_, count = _BATCH.unpack_from(data, start)
    records = data[start + _BATCH.size : start + _LENGTH_END + length]
    fields = _Fields(_DECODERS[attributes & _CODEC_MASK](records))
    for _ in range(count):
        fields.varint()
        fields.skip(1)
        timestamp = first_timestamp + fields.varint()
        if attributes & _LOG_APPEND_TIME:
            timestamp = last_timestamp
        offset = base_offset + fields.varint()
        key, value = fields.nullable_bytes(), fields.nullable_bytes()
        headers = [(fields.name(), fields.nullable_bytes()) for _ in range(fields.varint())]
        yield DecodedRecord(offset, timestamp, key, value, headers)


class _Fields:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def skip(self, size: int) -> None:
        self._position += size

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._data[self._position]
            self._position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)

    def nullable_bytes(self) -> bytes | None:
        size = self.varint()
        if size < 0:
            return None
        self._position += size
        return self._data[self._position - size : self._position]

    def name(self) -> str:
        return (self.nullable_bytes() or b"").decode("utf-8", "backslashreplace")
