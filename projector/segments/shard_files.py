"""A shard's folder: its manifest, the segments it names, and what a crash left behind."""

import asyncio
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from projector.segments.builder import SegmentBuilder
from projector.segments.errors import SegmentDamagedError
from projector.segments.manifest import MANIFEST_FILE, Manifest, SegmentEntry, write_manifest
from projector.segments.meta import DAMAGED_FILE
from projector.segments.reader import Segment
from projector.segments.spec import BuildSpec
from projector.segments.spill import write_spill
from projector.threads import to_its_end
from schemas.config import CollectionConfig
from schemas.ids import PointId

_SPILL_POINTS = 1000
_SPILL_BYTES = 4 << 20
REBUILD_BYTES = 512 << 20
"""How much of the state goes into one segment when a shard is rebuilt."""


def segment_name(number: int) -> str:
    """The folder name of a segment; names sort as numbers do."""
    return f"s{number:012d}"


def spill_path(folder: Path, number: int) -> Path:
    """Where the spill that the segment of this number is built from lies."""
    return folder / f"{segment_name(number)}.spill"


def open_segments(folder: Path, manifest: Manifest) -> list[tuple[Segment, NDArray[np.bool_]]]:
    """The segments a manifest names, each with the mask, bool [slots], of what is dead as of the manifest's offset.

    Raises SegmentDamagedError when one is missing, damaged, or marked as damaged.
    """
    opened: list[tuple[Segment, NDArray[np.bool_]]] = []
    for entry in manifest.segments:
        if is_condemned(folder / entry.name):
            raise SegmentDamagedError(f"{folder / entry.name}: it was found damaged")
        segment = Segment.open(folder / entry.name)
        if segment.size != entry.size:
            raise SegmentDamagedError(f"{segment.folder}: has {segment.size} slots, not {entry.size}")
        opened.append((segment, entry.dead_mask()))
    return opened


def condemn(segment: Path) -> None:
    """Mark a segment as damaged, for the next start; its files stay, as manifests name them. Raises OSError."""
    (segment / DAMAGED_FILE).touch()


def is_condemned(segment: Path) -> bool:
    """Whether a segment's folder is marked as damaged."""
    return (segment / DAMAGED_FILE).exists()


def delete_unknown(folder: Path, manifest: Manifest | None) -> None:
    """Delete what the manifest does not name: builds cut short, spills, segments already replaced."""
    known = {MANIFEST_FILE, *(entry.name for entry in manifest.segments)} if manifest is not None else set[str]()
    for path in folder.iterdir():
        if path.name not in known:
            delete(path)


def delete(path: Path) -> None:
    """Delete a file or a folder, which may be gone already."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


async def rebuild_shard(
    builder: SegmentBuilder,
    folder: Path,
    config: CollectionConfig,
    points: Iterable[tuple[PointId, bytes]],
    offset: int,
) -> Manifest:
    """Make a shard's folder anew from all its points at ``offset``; graphs are left to the optimizer.

    Reads ``points`` and writes on a thread. Raises BuildFailedError, OSError.
    """
    await to_its_end(asyncio.to_thread(_empty, folder))
    entries: list[SegmentEntry] = []
    source = iter(points)
    number = 1
    while spill := await to_its_end(asyncio.to_thread(_spill_some, spill_path(folder, number), source)):
        target = folder / segment_name(number)
        result = await builder.build(BuildSpec(str(target), config, [str(spill)], []))
        delete(spill)
        entries.append(SegmentEntry(target.name, result.slots))
        number += 1
    manifest = Manifest(offset, number, entries)
    await to_its_end(asyncio.to_thread(write_manifest, folder, manifest))
    return manifest


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    delete_unknown(folder, None)


def _spill_some(path: Path, points: Iterable[tuple[PointId, bytes]]) -> Path | None:
    with write_spill(path) as spill:
        batch: list[tuple[PointId, bytes]] = []
        size = 0
        for point in points:
            batch.append(point)
            size += len(point[1])
            if len(batch) == _SPILL_POINTS or size >= _SPILL_BYTES:
                spill.add(*zip(*batch, strict=True))
                batch.clear()
                size = 0
                if spill.bytes >= REBUILD_BYTES:
                    break
        if batch:
            spill.add(*zip(*batch, strict=True))
    if spill.count:
        return path
    delete(path)
    return None
