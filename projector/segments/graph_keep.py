"""Graphs and codes of a segment that is written anew with the same slots: they stay as they are."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from projector.segments.flat_file import FlatFileWriter
from projector.segments.meta import SearchCodesMeta, VectorMeta
from projector.segments.reader import Segment


def keep_graphs(
    segment: Segment, file: FlatFileWriter, folder: Path, vectors: Sequence[VectorMeta]
) -> list[VectorMeta]:
    """Take them over into ``folder``, and the sections that go with them into ``file``.

    ``vectors``: of the new segment, without graphs; returned with them. Raises OSError.
    """
    before = {vector.name: vector for vector in segment.meta.vectors}
    return [_keep(segment, file, folder, vector, before[vector.name]) for vector in vectors]


def _keep(segment: Segment, file: FlatFileWriter, folder: Path, vector: VectorMeta, before: VectorMeta) -> VectorMeta:
    for name, data in segment.graph_sections(vector.number):
        with file.section(name) as section:
            section.write(data)
    if before.graph is not None:
        _share(segment.folder / before.graph.file, folder / before.graph.file)
    codes = vector.search_codes
    if codes is not None:
        codes = SearchCodesMeta(before.search_codes is not None and before.search_codes.walked)
    return msgspec.structs.replace(
        vector, graph=before.graph, unfit=before.unfit, quantized=before.quantized, search_codes=codes
    )


def _share(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copyfile(source, target)
        with target.open("rb") as copied:
            os.fsync(copied.fileno())
