"""Shortening a log: files are removed from the front, oldest first."""

from collections.abc import Sequence
from pathlib import Path

from ingest.disk import Disk, sync_folder
from ingest.embedded.segment_file import Segment


def delete_segments(disk: Disk, segments: Sequence[Segment]) -> None:
    """Delete the files of ``segments``, the first ones of a partition, oldest first, durably. Raises OSError.

    Interrupted anywhere, what is left is a log that begins later.
    """
    for segment in segments:
        segment.path.unlink(missing_ok=True)
    for folder in {segment.path.parent for segment in segments}:
        sync_folder(folder, disk)


def size_of(folder: Path) -> int:
    """How many bytes the files of a log take, all partitions together."""
    return sum(path.stat().st_size for path in folder.glob("*/*.log"))
