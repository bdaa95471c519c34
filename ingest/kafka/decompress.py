"""Decompressing a batch within a bound: what Kafka limits is the compressed size, and 38 KiB may become 277 MiB."""

import struct
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import cramjam

_LEAST_BYTES = 1 << 20
_USUAL_RATIO = 8
_XERIAL_HEADER = b"\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"
_FULL = "failed to write whole buffer"
"""What cramjam says where there was no room for more; what there was room for is in place."""


class DecompressError(Exception):
    """These are not the bytes of a compressed batch."""


class Decompressed(NamedTuple):
    """The beginning of what a batch decompresses to, or all of it: ``is_whole``."""

    data: memoryview
    is_whole: bool


def decompress(codec: int, data: memoryview, most: int) -> Decompressed:
    """Decompress ``data``, up to ``most`` bytes. ``codec``: as in a batch's attributes. Raises DecompressError."""
    if codec == 0:
        return Decompressed(data, True)
    if codec not in _CODECS:
        raise DecompressError(f"there is no codec {codec}")
    try:
        return _CODECS[codec](data, most)
    except (cramjam.DecompressionError, zlib.error, struct.error) as error:
        raise DecompressError(str(error)) from error


def _gzip(data: memoryview, most: int) -> Decompressed:
    found = bytearray()
    rest = bytes(data)
    while rest:
        decoder = zlib.decompressobj(wbits=31)
        found += decoder.decompress(rest, most + 1 - len(found))
        if len(found) > most:
            return Decompressed(memoryview(found)[:most], False)
        if not decoder.eof:
            raise DecompressError("it ends too early")
        rest = decoder.unused_data
    return Decompressed(memoryview(found), True)


def _snappy(data: memoryview, most: int) -> Decompressed:
    """One block, or, from Java, blocks with their lengths before them. Each is decompressed whole or not at all."""
    blocks: list[memoryview] = [data]
    if bytes(data[: len(_XERIAL_HEADER)]) == _XERIAL_HEADER:
        blocks = []
        at = len(_XERIAL_HEADER)
        while at < len(data):
            (size,) = struct.unpack_from(">I", data, at)
            blocks.append(data[at + 4 : at + 4 + size])
            at += 4 + size
    found = bytearray()
    for block in blocks:
        if len(found) + cramjam.snappy.decompress_raw_len(block) > most:
            return Decompressed(memoryview(found), False)
        found += memoryview(cramjam.snappy.decompress_raw(block))
    return Decompressed(memoryview(found), True)


def _streamed(decompress_into: Callable[[Any, Any], int]) -> Callable[[memoryview, int], Decompressed]:
    def decompress_some(data: memoryview, most: int) -> Decompressed:
        room = min(most, max(_LEAST_BYTES, _USUAL_RATIO * len(data)))
        while True:
            found = bytearray(room)
            try:
                return Decompressed(memoryview(found)[: decompress_into(data, found)], True)
            except cramjam.DecompressionError as error:
                if _FULL not in str(error):
                    raise
            if room == most:
                return Decompressed(memoryview(found), False)
            room = most

    return decompress_some


_CODECS: dict[int, Callable[[memoryview, int], Decompressed]] = {
    1: _gzip,
    2: _snappy,
    3: _streamed(cramjam.lz4.decompress_into),
    4: _streamed(cramjam.zstd.decompress_into),
}
