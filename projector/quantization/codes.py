"""The codes of a segment's vectors, and the sections that they are kept in (docs/segment-files.md)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.quantization.kind import Bytes, Quantizer, Shape, float_blocks
from projector.quantization.registry import opened, trained
from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile, FlatFileWriter
from projector.segments.mapping import LeftOnDisk, kept_in_memory
from projector.segments.meta import CODES_VERSION, QuantizedMeta, VectorMeta
from schemas.config import CollectionConfig
from schemas.quantization import Quantization, read_quantization
from schemas.vectors.params import Memory, placed

CODES_SECTIONS = ("codes.", "quantizer.")
"""How the sections that hold a name's codes begin."""


class Codes(NamedTuple):
    """``rows``: uint8 [rows, width], as ``quantizer`` made them. ``on_disk``: the vectors, where they stay there."""

    rows: Bytes
    quantizer: Quantizer
    on_disk: LeftOnDisk | None = None


def wanted_meta(config: CollectionConfig, name: str) -> QuantizedMeta | None:
    """What the directory says of a name's codes if they are as asked for; None where none are."""
    quantization = config.quantization_for(name)
    if quantization is None:
        return None
    params = config.vectors[name]
    on_disk = placed(params.memory, params.on_disk) is Memory.COLD
    return QuantizedMeta(quantization.without_placement, quantization.kind.placement, on_disk)


def write_codes(
    file: FlatFileWriter, vector: VectorMeta, matrix: NDArray[Any], quantization: Quantization | None
) -> None:
    """Write the sections of one name's codes, if there are to be any. ``matrix``: its vectors, [rows, dim]."""
    if quantization is None:
        return
    quantizer = trained(quantization, Shape(vector.dim, vector.distance), matrix)
    file.put(f"quantizer.{vector.number}", quantizer.kept())
    with file.section(f"codes.{vector.number}") as section:
        for block in float_blocks(matrix):
            section.write(quantizer.encode(block))


def check_codes(file: FlatFile, vector: VectorMeta) -> None:
    """Compare the checksums of their sections as the disk has them. Raises SegmentDamagedError."""
    if _readable(vector) is not None:
        for name in _sections(vector):
            file.check_on_disk(name)


def read_codes(file: FlatFile, vector: VectorMeta) -> Codes | None:
    """Open them, read in where they are to stay in memory, and compare their checksum; None where there are none.

    Raises SegmentDamagedError.
    """
    meta, quantization = vector.quantized, _readable(vector)
    if meta is None or quantization is None:
        return None
    check_codes(file, vector)
    names = _sections(vector)
    try:
        quantizer = opened(quantization, Shape(vector.dim, vector.distance), file.array(names[0], np.float32))
        rows = file.array(names[1], np.uint8).reshape(vector.rows, quantizer.width)
    except ValueError as error:
        raise SegmentDamagedError(f"{file.path}: the codes of {vector.name!r} do not fit: {error}") from error
    on_disk = None
    if meta.on_disk:
        on_disk = LeftOnDisk(file.array(f"vectors.{vector.number}", np.uint8).reshape(vector.rows, -1))
    return Codes(kept_in_memory(rows) if meta.memory is Memory.PINNED else rows, quantizer, on_disk)


def _sections(vector: VectorMeta) -> tuple[str, str]:
    codes, quantizer = (f"{section}{vector.number}" for section in CODES_SECTIONS)
    return quantizer, codes


def _readable(vector: VectorMeta) -> Quantization | None:
    """How the vectors were quantized; None where they weren't, or by a later release in a way of its own."""
    meta = vector.quantized
    return None if meta is None or meta.version > CODES_VERSION else read_quantization(meta.settings)
