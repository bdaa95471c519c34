"""The sections that go with a graph: which rows repeat the vector of another (docs/segment-files.md)."""

import numpy as np

from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile, FlatFileWriter
from projector.segments.meta import VectorMeta
from projector.segments.repeats import Repeats

REPEAT_SECTIONS = ("repeated.", "repeat_ends.", "repeats.")


def write_repeats(file: FlatFileWriter, number: int, repeats: Repeats) -> None:
    """Write the sections of the configuration's ``number``-th name; none where no row repeats another."""
    if len(repeats.rows):
        for section, values in zip(REPEAT_SECTIONS, (repeats.firsts, repeats.ends, repeats.rows), strict=True):
            file.put(f"{section}{number}", values)


def read_repeats(file: FlatFile, vector: VectorMeta) -> Repeats:
    """Read them. Raises SegmentDamagedError when they don't fit the vectors."""
    names = [f"{section}{vector.number}" for section in REPEAT_SECTIONS]
    if not any(name in file for name in names):
        return Repeats.none()
    repeats = Repeats(*(file.array(name, np.uint32) for name in names))
    if not repeats.fit(vector.rows):
        raise SegmentDamagedError(f"{file.path}: the repeats of {vector.name!r} do not fit its vectors")
    return repeats
