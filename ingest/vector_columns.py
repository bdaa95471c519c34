"""Vectors of many points, as JSON gives them, to one block of float32 per name.

Where all points have the one unnamed vector, simdjson reads the numbers without making Python objects of them, many
vectors at once: 6 us for one of 100, while decoding and packing a list takes 11 us.
Everything else, and everything that is wrong, takes the other way, which knows what to say. Packing through
``struct`` takes 2 us for 100 values; ``numpy.array`` of nested lists takes three times as long.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray
from simdjson import Array, Parser

from schemas.config import UNNAMED, CollectionConfig
from schemas.errors import BadInputError, UnprocessableError
from schemas.rest.decode import decode_part
from schemas.rest.points import JsonVector
from schemas.vectors.dense import all_finite, join_floats
from schemas.vectors.inference import AnyVector, VectorObject, stored_vector
from schemas.vectors.kind import GivenValue
from schemas.vectors.params import SparseVectorParams
from schemas.vectors.plain import only_plain
from schemas.vectors.registry import VectorColumn

_BLOCK_ROWS = 256
"""Vectors that are read at once: few enough to stay in the processor's cache."""
_local = threading.local()
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
    return read_unnamed(size, texts) if len(texts) == len(raw) else join_floats(size, raw)


def read_rows_of(size: int, text: bytes, count: int) -> bytes | None:
    """As ``read_unnamed``, of ``text``, the JSON of an array of ``count`` vectors; None also where that isn't seen at
    once. Little by little: what decodes such an array as a whole leaves the interpreter to nobody else meanwhile.
    """
    if count and text.startswith(b"[[") and text.endswith(b"]]"):
        for separator in (b"],[", b"], ["):
            if text.count(separator) == count - 1:
                return read_unnamed(size, [b"[%b]" % row for row in text[2:-2].split(separator)])
    return None


def read_unnamed(size: int, raw: Sequence[msgspec.Raw | bytes]) -> bytes | None:
    """All vectors as one block, float32 [len(raw), size], if each is an array of ``size`` good numbers; else None."""
    blocks: list[bytes] = []
    for start in range(0, len(raw), _BLOCK_ROWS):
        texts = list(map(bytes, raw[start : start + _BLOCK_ROWS]))
        flat = _flatten(texts) if all(map(_is_flat, texts)) else None
        if flat is None or flat[0].count(size) < len(texts):
            return None
        block = _float32(flat[1])
        if not all_finite(block):
            return None
        blocks.append(block.tobytes())
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)


def read_rows(size: int, raw: Sequence[msgspec.Raw | bytes]) -> list[bytes | None]:
    """Each vector as float32 [size] if it is an array of ``size`` good numbers; else None."""
    rows: list[bytes | None] = []
    for start in range(0, len(raw), _BLOCK_ROWS):
        rows.extend(_read_texts(size, [bytes(item) for item in raw[start : start + _BLOCK_ROWS]]))
    return rows


def _read_texts(size: int, texts: Sequence[bytes]) -> list[bytes | None]:
    arrays = [text for text in texts if _is_flat(text)]
    found = iter(_read_arrays(size, arrays))
    if len(arrays) == len(texts):
        return list(found)
    return [next(found) if _is_flat(text) else None for text in texts]


def _is_flat(text: bytes) -> bool:
    """Whether ``text``, a JSON value, is an array without one in it: simdjson flattens those."""
    return text.startswith(b"[") and text.find(b"[", 1) < 0 and text.find(b"]") == len(text) - 1


def _read_arrays(size: int, texts: Sequence[bytes]) -> list[bytes | None]:
    flat = _flatten(texts)
    if flat is not None:
        return _rows_of(size, *flat)
    if len(texts) <= 1:
        return [None] * len(texts)
    half = len(texts) // 2
    return [*_read_arrays(size, texts[:half]), *_read_arrays(size, texts[half:])]


def _parser() -> Parser:
    """This thread's own: what a parser gave is overwritten when it parses again."""
    if not hasattr(_local, "parser"):
        _local.parser = Parser()
    parser: Parser = _local.parser
    return parser


def _flatten(texts: Sequence[bytes]) -> tuple[list[int], NDArray[np.float64]] | None:
    """The arrays' lengths, and all their numbers; None when something in them is no number of at most 64 bits."""
    try:
        array = cast("Array", _parser().parse(b"[%b]" % b",".join(texts)))
        lengths = [len(row) for row in cast("Iterable[Array]", array)]
        return lengths, np.frombuffer(array.as_buffer(of_type="d"), np.float64)
    # RuntimeError is what simdjson raises for an integer of more bits.
    except (ValueError, TypeError, RuntimeError):
        return None


def _float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """What is too large becomes infinite."""
    with np.errstate(over="ignore"):
        return values.astype("<f4")


def _rows_of(size: int, lengths: Sequence[int], values: NDArray[np.float64]) -> list[bytes | None]:
    """The arrays as rows, ``values`` being their numbers; None for those of another length or with a huge number."""
    fit = lengths.count(size) == len(lengths)
    if not fit:
        values = values[np.repeat(np.array(lengths, np.int64) == size, lengths)]
    block = _float32(values)
    data, step = block.tobytes(), 4 * size
    rows: list[bytes | None] = [data[at : at + step] for at in range(0, len(data), step)]
    finite = np.isfinite(block)
    if not finite.all():
        for at in np.flatnonzero(~finite.reshape(-1, size).all(axis=1)).tolist():
            rows[at] = None
    if fit:
        return rows
    found = iter(rows)
    return [next(found) if length == size else None for length in lengths]


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
