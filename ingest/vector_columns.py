"""Vectors of many points, as JSON gives them, to one block of float32 per name.

Packing through ``struct`` takes 2 us for 100 values; ``numpy.array`` of nested lists takes three times as long.
"""

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache

from schemas.config import UNNAMED, CollectionConfig
from schemas.errors import BadInputError
from schemas.operations import VectorColumn
from schemas.rest.points import JsonVector

_MAX_FLOAT32 = 3.4028235677973366e38
"""From here on a number is nearer to infinity than to any float32."""


Path = Callable[[int, str], str]
"""Where in the body the vector at a position stood, under a name."""


def point_path(position: int, name: str) -> str:
    """The path of a vector in a list of points."""
    return f"points[{position}].vector.{name}" if name else f"points[{position}].vector"


@lru_cache(maxsize=256)
def _packer(size: int) -> struct.Struct:
    return struct.Struct(f"<{size}f")


def to_columns(config: CollectionConfig, vectors: Sequence[JsonVector]) -> dict[str, VectorColumn]:
    """The columns of points with ``vectors``.

    Raises BadInputError naming the point for a vector that the collection doesn't have, of another size, or with
    a number that no float32 can hold.
    """
    if UNNAMED in config.vectors and len(config.vectors) == 1:
        data = _pack_unnamed(config.vectors[UNNAMED].size, vectors)
        if data is not None:
            return {UNNAMED: VectorColumn(config.vectors[UNNAMED].size, data)}
    found: dict[str, tuple[list[int], list[list[float]]]] = {}
    for position, vector in enumerate(vectors):
        named = vector if isinstance(vector, dict) else {UNNAMED: vector}
        for name, values in named.items():
            rows, column = found.setdefault(name, ([], []))
            rows.append(position)
            column.append(values)
    return {
        name: pack_column(config, name, column, rows, point_path, None if len(rows) == len(vectors) else rows)
        for name, (rows, column) in found.items()
    }


def _pack_unnamed(size: int, vectors: Sequence[JsonVector]) -> bytes | None:
    """All vectors as one block if they are good and unnamed; else None."""
    pack = _packer(size).pack
    try:
        return b"".join([pack(*vector) for vector in vectors])
    except (struct.error, OverflowError):
        return None


def pack_column(
    config: CollectionConfig,
    name: str,
    values: Sequence[list[float]],
    positions: Sequence[int],
    where: Path,
    rows: list[int] | None = None,
) -> VectorColumn:
    """One name's column; ``positions`` say where the values stood, for messages. Raises as ``to_columns``."""
    if name not in config.vectors:
        first = where(positions[0], name) if positions else name
        raise BadInputError(f"Wrong input: {first}: Not existing vector name error: {name}")
    size = config.vectors[name].size
    pack = _packer(size).pack
    try:
        data = b"".join([pack(*vector) for vector in values])
    except (struct.error, OverflowError):
        for position, vector in zip(positions, values, strict=True):
            _check_vector(vector, size, where(position, name))
        raise
    return VectorColumn(size, data, rows)


def _check_vector(vector: list[float], size: int, path: str) -> None:
    if len(vector) != size:
        raise BadInputError(f"Wrong input: {path}: Vector dimension error: expected dim: {size}, got {len(vector)}")
    for index, value in enumerate(vector):
        if not abs(value) < _MAX_FLOAT32:
            raise BadInputError(f"Wrong input: {path}[{index}]: {value!r} is out of the range of float32")
