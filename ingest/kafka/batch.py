"""The records of one batch, decoded one by one, within bounds on what is decompressed and on what a record takes.

What goes beyond them is told of, and not read: its offset, and why. Names of headers that aren't UTF-8, as clients in C
may write them, are shown with escapes. Source of the format: the Kafka protocol guide, "Record Batch", magic 2.
"""

import struct
from collections.abc import Iterator

from aiokafka.record.default_records import DefaultRecord, DefaultRecordBatch

from ingest.decompress import Decompressed, DecompressError, decompress
from ingest.log import Headers, LogRecord

LARGEST_RECORD = 33 << 20
"""Bytes, decompressed: what a topic takes by default, and what the rejected topic adds.

A constant, as what becomes of a record must be the same wherever it is read.
"""
MOST_BYTES = 64 << 20
"""So much of what a batch decompresses to is read."""

_BATCH = struct.Struct(">qiibIhiqqqhii")
_LENGTH = struct.Struct(">i")
_LENGTH_AT = 8
_ATTRIBUTES = struct.Struct(">h")
_ATTRIBUTES_AT = 21
_CODEC_MASK = 0x07
_CODECS = {1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
_LOG_APPEND_TIME = 0x08
_LENGTH_END = 12


def batches(data: memoryview) -> Iterator[memoryview]:
    """The whole batches in what a broker sent, as it stores them."""
    start = 0
    while start + _BATCH.size <= len(data):
        end = start + _LENGTH_END + _LENGTH.unpack_from(data, start + _LENGTH_AT)[0]
        if end > len(data):
            return
        yield data[start:end]
        start = end


def decode_batch(data: memoryview, partition: int, from_offset: int) -> Iterator[LogRecord]:
    """The records at or after ``from_offset`` of the batch that ``data`` is. Raises DecompressError."""
    attributes = _BATCH.unpack_from(data)[5]
    found = _decompressed(data, MOST_BYTES)
    after = from_offset
    if found.is_whole:
        # aiokafka's decoder is written in C, and has no bound of its own: it gets what is decompressed already.
        header = bytearray(data[: _BATCH.size])
        _ATTRIBUTES.pack_into(header, _ATTRIBUTES_AT, attributes & ~_CODEC_MASK)
        _LENGTH.pack_into(header, _LENGTH_AT, _BATCH.size - _LENGTH_END + len(found.data))
        try:
            for record in DefaultRecordBatch(b"".join((header, found.data))):
                if record.offset >= after:
                    after = record.offset + 1
                    yield _checked(_log_record(partition, record))
            return
        except UnicodeDecodeError:
            pass
    yield from _decode_leniently(data, found, partition, after)


def decompressed_size(data: memoryview, most: int) -> int:
    """How many bytes the records of the batch ``data`` take; more than ``most`` where they take more.

    Nothing is said of those that can't be decompressed.
    """
    try:
        found = _decompressed(data, max(most, 1))
    except DecompressError:
        return 0
    return len(found.data) if found.is_whole else most + 1


def _decompressed(data: memoryview, most: int) -> Decompressed:
    codec = _BATCH.unpack_from(data)[5] & _CODEC_MASK
    records = data[_BATCH.size :]
    if not codec:
        return Decompressed(records, True)
    if codec not in _CODECS:
        raise DecompressError(f"there is no codec {codec}")
    return decompress(_CODECS[codec], records, most)


def _log_record(partition: int, record: DefaultRecord) -> LogRecord:
    headers = record.headers
    # Kafka tells a header without a value from one with an empty value; nobody here does.
    plain = tuple([(name, value or b"") for name, value in headers]) if headers else ()
    return LogRecord(partition, record.offset, record.timestamp, record.key, record.value, plain)


def _checked(record: LogRecord) -> LogRecord:
    size = len(record.value or b"") + len(record.key or b"")
    if record.headers:
        size += sum([len(name) + len(value) for name, value in record.headers])
    return record if size <= LARGEST_RECORD else _unread(record.partition, record.offset, record.timestamp_ms, size)


def _unread(partition: int, offset: int, timestamp: int, size: int) -> LogRecord:
    reason = f"the record takes {size} bytes, and at most {LARGEST_RECORD} are read"
    return LogRecord(partition, offset, timestamp, None, None, (), reason)


def _decode_leniently(data: memoryview, found: Decompressed, partition: int, from_offset: int) -> Iterator[LogRecord]:
    base, _, _, _, _, attributes, _, first_timestamp, last_timestamp, *_, count = _BATCH.unpack_from(data)
    fields = _Fields(found.data)
    following = base
    for index in range(count):
        try:
            size = fields.varint()
            end = fields.position + size
            fields.skip(1)
            delta = fields.varint()
            offset = base + fields.varint()
            timestamp = last_timestamp if attributes & _LOG_APPEND_TIME else first_timestamp + delta
            if size > LARGEST_RECORD:
                record = _unread(partition, offset, timestamp, size)
            else:
                key, value = fields.nullable_bytes(), fields.nullable_bytes()
                record = _checked(LogRecord(partition, offset, timestamp, key, value, fields.headers()))
        except IndexError:
            if found.is_whole:
                raise DecompressError("its records end too early") from None
            yield from _beyond(partition, base, following, count - index, from_offset, last_timestamp)
            return
        fields.position = end
        following = offset + 1
        if offset >= from_offset:
            yield record


def _beyond(partition: int, base: int, start: int, count: int, from_offset: int, timestamp: int) -> Iterator[LogRecord]:
    """The last ``count`` records, from ``start`` on, of a batch that decompresses to more than is read."""
    unread = f"its batch, at offset {base}, takes more than the {MOST_BYTES} bytes that are read of one"
    for offset in range(start, start + count):
        if offset >= from_offset:
            yield LogRecord(partition, offset, timestamp, None, None, (), unread)


class _Fields:
    """Raises IndexError beyond the end."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self.position = 0

    def skip(self, size: int) -> None:
        self.position += size

    def varint(self) -> int:
        data, position = self._data, self.position
        byte = data[position]
        value = byte & 0x7F
        shift = 7
        while byte >= 0x80:
            position += 1
            byte = data[position]
            value |= (byte & 0x7F) << shift
            shift += 7
        self.position = position + 1
        return (value >> 1) ^ -(value & 1)

    def nullable_bytes(self) -> bytes | None:
        size = self.varint()
        if size < 0:
            return None
        end = self.position + size
        if end > len(self._data):
            raise IndexError
        found = bytes(self._data[self.position : end])
        self.position = end
        return found

    def headers(self) -> Headers:
        # Kafka tells a header without a value from one with an empty value; nobody here does.
        return tuple([(self._name(), self.nullable_bytes() or b"") for _ in range(self.varint())])

    def _name(self) -> str:
        return (self.nullable_bytes() or b"").decode("utf-8", "backslashreplace")
