"""Vectors of many points, as JSON gives them, to one block of float32 per name.

Where all points have the one unnamed vector, the parser reads the numbers without making Python objects of them: 2 us
for one of 100, while decoding and packing a list takes 11 us. Everything else, and everything that is wrong, takes the
other way, which knows what to say. Packing through ``struct`` takes 2 us for 100 values; ``numpy.array`` of nested
lists takes three times as long.
"""

from collections.abc import Callable, Sequence

import msgspec

from ingest.parser import each_vector_of
from schemas.config import UNNAMED, CollectionConfig
from schemas.errors import BadInputError, UnprocessableError
from schemas.rest.decode import decode_part
from schemas.rest.points import JsonVector
from schemas.vectors.dense import join_floats
from schemas.vectors.inference import AnyVector, VectorObject, stored_vector
from schemas.vectors.kind import GivenValue
from schemas.vectors.params import SparseVectorParams
from schemas.vectors.plain import only_plain
from schemas.vectors.registry import VectorColumn

_vector_decoder: msgspec.json.Decoder[JsonVector] = msgspec.json.Decoder(JsonVector)

GivenVector = AnyVector | GivenValue | dict[str, AnyVector | GivenValue]
"""What a point of a message has: the unnamed vector, or named ones."""
Path = Callable[[int, str], str]
"""Where in the body the vector at a position stood, under a name."""


def point_path(position: int, name: str) -> str:
    """The path of a vector in a list of points."""
    return f"points[{position}].vector.{name}" if name else f"points[{position}].vector"


def to_columns(config: CollectionConfig, raw: Sequence[msgspec.Raw | GivenVector]) -> dict[str, VectorColumn]:
    """The columns of points whose vectors, each a JsonVector or one that came in a message, are ``raw``.

    Raises BadInputError naming the point for a vector that is none, that the collection doesn't have, of another
    size, or with a number that no float32 can hold, and UnprocessableError for an empty one.
    """
    plain = only_plain(config)
    if plain is not None:
        data = _read_plain(plain.dim, raw)
        if data is not None:
            return {UNNAMED: plain.plain(data)}
    found: dict[str, tuple[list[int], list[AnyVector | GivenValue]]] = {}
    for position, item in enumerate(raw):
        if isinstance(item, msgspec.Raw):
            vector = decode_part(_vector_decoder, item, point_path(position, UNNAMED))
        else:
            vector = item
        named = vector if isinstance(vector, dict) else {UNNAMED: vector}
        for name, values in named.items():
            rows, column = found.setdefault(name, ([], []))
            rows.append(position)
            column.append(values)
    return {
        name: pack_written(config, name, column, rows, point_path, None if len(rows) == len(raw) else rows)
        for name, (rows, column) in found.items()
    }


def _read_plain(size: int, raw: Sequence[msgspec.Raw | GivenVector]) -> bytes | None:
    texts = [item for item in raw if isinstance(item, msgspec.Raw)]
    if len(texts) < len(raw):
        return join_floats(size, raw)
    rows = [row for row in each_vector_of(texts, size) if row is not None]
    return b"".join(rows) if len(rows) == len(texts) else None


def pack_written(
    config: CollectionConfig,
    name: str,
    values: Sequence[AnyVector | GivenValue],
    positions: Sequence[int],
    where: Path,
    rows: list[int] | None = None,
) -> VectorColumn:
    """As ``pack_column``, of vectors to store, those included that a model makes.

    Raises UnprocessableError, too, for an empty one that isn't sparse.
    """
    params = config.names.get(name)
    empty = next((at for at, value in enumerate(values) if isinstance(value, list | bytes) and not value), None)
    if params is not None and empty is not None and not isinstance(params, SparseVectorParams):
        path = where(positions[empty], name)
        what = "dense vector" if params.multivector_config is None else "multivector"
        raise UnprocessableError(f"Validation error in JSON body: [{path}: {what} must not be empty]")
    made = [
        stored_vector(value, where(position, name)) if isinstance(value, VectorObject) else value
        for value, position in zip(values, positions, strict=True)
    ]
    return pack_column(config, name, made, positions, where, rows)


def pack_column(
    config: CollectionConfig,
    name: str,
    values: Sequence[GivenValue],
    positions: Sequence[int],
    where: Path,
    rows: list[int] | None = None,
) -> VectorColumn:
    """One name's column; ``positions`` say where the values stood, for messages. Raises as ``to_columns``."""
    if name not in config.names:
        first = where(positions[0], name) if positions else name
        raise BadInputError(f"Wrong input: Not existing vector name error: {name} at {first}")
    return config.kinds[name].pack(values, lambda at: where(positions[at], name), rows)
