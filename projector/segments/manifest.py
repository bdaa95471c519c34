"""The manifest of a shard: which segments it has, the offset they stand for, and what is deleted in them as of it.

One file, replaced atomically (docs/segment-files.md). Points changed after the offset are not in the segments, or not
as they are: a reader takes them from the state or the feed.
"""

from pathlib import Path
from struct import Struct

import msgspec
import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from ingest.disk import replace_file
from projector.segments.errors import ManifestDamagedError
from projector.segments.spec import pack_mask, unpack_mask

MANIFEST_FILE = "manifest"
MANIFEST_VERSION = 1
_MAGIC = b"HWMANIF\n"
_HEAD = Struct("<8sII")


class SegmentEntry(msgspec.Struct, frozen=True):
    """One segment: its folder's name, its slots, and a packed mask of the dead ones; empty when none is dead."""

    name: str
    size: int
    dead: bytes = b""

    @staticmethod
    def of(name: str, dead: NDArray[np.bool_]) -> "SegmentEntry":
        """The entry for a mask, bool [slots]."""
        return SegmentEntry(name, len(dead), pack_mask(dead) if dead.any() else b"")

    def dead_mask(self) -> NDArray[np.bool_]:
        """The mask, bool [size]."""
        return unpack_mask(self.dead, self.size) if self.dead else np.zeros(self.size, np.bool_)


class Manifest(msgspec.Struct, frozen=True):
    """``offset``: the shard's state at it is what the segments hold, less what is dead (-1: before any record).

    ``next_number``: folders with this number or a higher one were never named by a manifest. ``usable_from``: merges
    leave out points that died after ``offset``, but all of these had died at this offset.
    """

    offset: int
    next_number: int
    segments: list[SegmentEntry]
    version: int = MANIFEST_VERSION
    usable_from: int = -1


_decoder = msgspec.msgpack.Decoder(Manifest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest of a shard's folder, durably. Raises OSError; the old manifest is in force then."""
    body = msgspec.msgpack.encode(manifest)
    replace_file(folder / MANIFEST_FILE, _HEAD.pack(_MAGIC, len(body), crc32c(body)) + body)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a shard's folder; None when there is none yet. Raises ManifestDamagedError."""
    path = folder / MANIFEST_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(data) < _HEAD.size:
        raise ManifestDamagedError(f"{path}: has only {len(data)} bytes")
    magic, length, crc = _HEAD.unpack_from(data)
    body = data[_HEAD.size :]
    if magic != _MAGIC or len(body) != length or crc32c(body) != crc:
        raise ManifestDamagedError(f"{path}: does not have its length and checksum")
    try:
        manifest = _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ManifestDamagedError(f"{path}: {error}") from error
    if manifest.version > MANIFEST_VERSION:
        raise ManifestDamagedError(f"{path}: has version {manifest.version}, newer than {MANIFEST_VERSION}")
    if any(e.dead and len(e.dead) != (e.size + 7) // 8 for e in manifest.segments):
        raise ManifestDamagedError(f"{path}: a mask of dead slots has the wrong length")
    return manifest
