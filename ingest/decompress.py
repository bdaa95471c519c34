"""Decompressing within a bound: what came is short, and 38 KiB may become 277 MiB."""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import cramjam
import numpy as np

_LEAST_BYTES = 1 << 20
_USUAL_RATIO = 8
_XERIAL_HEADER = b"\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"
_FULL = "failed to write whole buffer"
"""What cramjam says where there was no room for more; what there was room for is in place."""


class DecompressError(Exception):
    """These are not the bytes that a codec makes."""


class Decompressed(NamedTuple):
    """The beginning of what was compressed, or all of it: ``is_whole``."""

    data: memoryview
    is_whole: bool


def decompress(codec: str, data: memoryview, most: int) -> Decompressed:
    """Decompress ``data``, up to ``most`` bytes. ``codec``: one of ``CODECS``. Raises DecompressError."""
    try:
        return CODECS[codec](data, most)
    except (cramjam.DecompressionError, struct.error) as error:
        raise DecompressError(str(error)) from error


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
            found = np.empty(room, np.uint8)  # a bytearray is filled with zeros first, under the interpreter lock
            try:
                return Decompressed(found.data[: decompress_into(data, found)], True)
            except cramjam.DecompressionError as error:
                if _FULL not in str(error):
                    raise
            if room == most:
                return Decompressed(found.data, False)
            room = most

    return decompress_some


CODECS: dict[str, Callable[[memoryview, int], Decompressed]] = {
    "gzip": _streamed(cramjam.gzip.decompress_into),
    "deflate": _streamed(cramjam.zlib.decompress_into),
    "br": _streamed(cramjam.brotli.decompress_into),
    "zstd": _streamed(cramjam.zstd.decompress_into),
    "snappy": _snappy,
    "lz4": _streamed(cramjam.lz4.decompress_into),
}
"""By name; HTTP's content codings are called as there."""
