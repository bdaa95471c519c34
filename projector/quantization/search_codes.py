"""Search codes: what walks and scans look at before vectors, made for every dense name that isn't quantized.

They are a quarter of float32's size, which is what searching takes its time for. How far off they may be is known:
whatever may be among the nearest is compared exactly, and what a scan finds is the same with and without them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelSearchCodes, encoded
from projector.quantization.kind import Bytes, Floats, float_blocks
from projector.segments.flat_file import FlatFileWriter
from projector.segments.meta import SEARCH_CODES_VERSION, VectorMeta
from schemas.vectors.params import Datatype, Distance

SECTIONS = ("search_codes.", "search_code_scale.")
"""How the sections that hold a name's search codes begin."""
LEAST_DIM, LEAST_ROWS = 32, 1024
"""With less there is little to be gained."""
LARGEST = 1e15
"""What holds larger values gets none: the kernel's sums are of float32."""
_SIZES = 3
_SCALE_BYTES = 4


Arrays = Callable[[str, type[Any]], NDArray[Any]]
"""A section of a file, by its name, as values of a type."""


class SearchCodes(NamedTuple):
    """``rows``: uint8 [rows, 8 + dim]. ``walked``: whether walks by them lead as far as by vectors."""

    rows: Bytes
    kernel: KernelSearchCodes
    walked: bool

    def scales(self) -> Floats:
        """From one code to the next, of each row: float32 [rows]."""
        return self.rows[:, :_SCALE_BYTES].copy().view(np.float32)[:, 0]


def write_search_codes(file: FlatFileWriter, vector: VectorMeta, matrix: NDArray[Any]) -> bool:
    """Write the sections of a dense name's codes, ``matrix`` being its vectors, [rows, dim]. Whether there are any."""
    if not may_have_codes(vector.dim, vector.distance, vector.datatype) or vector.rows < LEAST_ROWS:
        return False
    centre = centre_of(matrix)
    if centre is None:
        return False
    sizes = np.zeros(_SIZES)
    codes_name, scale_name = _sections(vector.number)
    with file.section(codes_name) as section:
        for block in float_blocks(matrix):
            codes, *theirs = encoded(block, centre, vector.distance.lower())
            section.write(codes)
            sizes = np.maximum(sizes, theirs)
    file.put(scale_name, np.concatenate([sizes, centre], dtype=np.float64))
    return True


def read_search_codes(arrays: Arrays, vector: VectorMeta) -> SearchCodes | None:
    """Those of a file that is read or written; None where there are none. Raises ValueError where they don't fit."""
    meta = vector.search_codes
    if meta is None or meta.version > SEARCH_CODES_VERSION:
        return None
    codes_name, scale_name = _sections(vector.number)
    scale = arrays(scale_name, np.float64)
    rows = arrays(codes_name, np.uint8).reshape(vector.rows, -1)
    if len(scale) != _SIZES + vector.dim:
        raise ValueError(f"the search codes of {vector.name!r} have a scale of {len(scale)} numbers")
    centre = scale[_SIZES:].astype(np.float32)
    error, length, largest = scale[:_SIZES].tolist()
    kernel = KernelSearchCodes(rows, centre, vector.distance.lower(), error, length, largest)
    return SearchCodes(rows, kernel, meta.walked)


def _sections(number: int) -> tuple[str, str]:
    codes, scale = (f"{section}{number}" for section in SECTIONS)
    return codes, scale


def may_have_codes(dim: int, distance: Distance, datatype: Datatype) -> bool:
    """Whether there are codes of such vectors, where they are enough."""
    return datatype is not Datatype.UINT8 and distance is not Distance.MANHATTAN and dim >= LEAST_DIM


def is_too_large(block: Floats) -> bool:
    """Whether any value is too large for codes, or no number."""
    return not float(np.abs(block).max(initial=0.0)) <= LARGEST


def centre_of(matrix: NDArray[Any]) -> Floats | None:
    """The mean; None where values are too large for codes."""
    total = np.zeros(matrix.shape[1])
    for block in float_blocks(matrix):
        if is_too_large(block):
            return None
        total += block.sum(axis=0, dtype=np.float64)
    return (total / len(matrix)).astype(np.float32)
