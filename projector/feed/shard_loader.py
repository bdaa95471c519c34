"""Opening what a shard's manifest names, in a process that only reads, beside the projector that replaces it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from projector.segments.errors import SegmentDamagedError
from projector.segments.manifest import Manifest, read_manifest
from projector.segments.meta import SEGMENT_FILE
from projector.segments.reader import Segment

NO_MANIFEST = Manifest(-1, 1, [])
"""What was loaded where there is no manifest: this very object."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedShard:
    """A manifest and its segments, each with the mask, bool [size], of what is dead as of the manifest's offset."""

    manifest: Manifest
    segments: Sequence[tuple[Segment, NDArray[np.bool_]]]

    @property
    def usable_from(self) -> int:
        """The lowest offset at which a view may stand that has these segments."""
        return max(self.manifest.offset, self.manifest.usable_from)


class ShardLoader:
    """Opens segments with their graphs, each once for as long as a view has it. Any thread may load."""

    def __init__(self) -> None:
        # By file too, as a shard that is rebuilt gets segments of the names it had before. The number of a file that
        # is mapped is not given to another.
        self._open: WeakValueDictionary[tuple[Path, int, int], Segment] = WeakValueDictionary()

    def load(self, folder: Path) -> LoadedShard:
        """What the manifest in a shard's folder names; NO_MANIFEST and nothing when there is none.

        Raises ManifestDamagedError, and SegmentDamagedError when a segment is damaged or missing.
        """
        manifest = read_manifest(folder) or NO_MANIFEST
        while True:
            damaged: SegmentDamagedError | None = None
            segments: list[tuple[Segment, NDArray[np.bool_]]] = []
            try:
                segments = [(self._segment(folder / e.name, e.size), e.dead_mask()) for e in manifest.segments]
            except SegmentDamagedError as error:
                damaged = error
            if damaged is None and not any(segment.damaged_graphs for segment, _ in segments):
                return LoadedShard(manifest, segments)
            newer = read_manifest(folder) or NO_MANIFEST
            if newer == manifest:
                # It isn't the projector that has just replaced it.
                if damaged is not None:
                    raise damaged
                return LoadedShard(manifest, segments)
            manifest = newer

    def _segment(self, folder: Path, size: int) -> Segment:
        while True:
            key = _key(folder)
            segment = self._open.get(key)
            if segment is None:
                segment = _open(folder)
                if _key(folder) != key:
                    continue
                segment = self._open.setdefault(key, segment)
            if segment.size != size:
                raise SegmentDamagedError(f"{folder}: has {segment.size} slots, not {size}")
            # Loading a graph holds the interpreter lock, so the first search would hold up everyone.
            segment.load_graphs()
            return segment


def _open(folder: Path) -> Segment:
    try:
        return Segment.open(folder)
    except FileNotFoundError as error:
        raise SegmentDamagedError(f"{folder}: {error}") from error


def _key(folder: Path) -> tuple[Path, int, int]:
    try:
        status = os.stat(folder / SEGMENT_FILE)
    except OSError as error:
        raise SegmentDamagedError(f"{folder}: {error}") from error
    return folder, status.st_dev, status.st_ino
