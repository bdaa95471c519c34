"""Large answers as pieces of JSON, made one after another: encoding all at once would hold an event loop too long."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from schemas.rest.envelope import Envelope
from schemas.rest.facet import FacetResult
from schemas.rest.matrix import MatrixOffsets, MatrixPairs
from schemas.rest.responses import GroupsResult, PointGroup, QueryResult, ScrollResult

LARGE_BYTES = 1 << 20
"""What is longer is better encoded in pieces."""
PIECE_BYTES = 256 << 10
"""How long a piece is at least, but for the last, and for one of many parts; longer by one point at most."""
PIECE_PARTS = 3000
"""What a piece has at most: numbers, points and the text around them."""
_GONE_INTO = (
    list,
    Envelope,
    ScrollResult,
    QueryResult,
    GroupsResult,
    PointGroup,
    FacetResult,
    MatrixPairs,
    MatrixOffsets,
)
"""What is encoded part by part; all else is encoded whole."""
_encode_into = msgspec.json.Encoder().encode_into


def encode_pieces(answer: Envelope) -> Iterator[bytearray]:
    """The JSON of an answer, a piece with every step; together they are what encoding it at once gives.

    Empties the answer's lists.
    """
    piece = bytearray()
    parts = 0
    for part in _parts(answer):
        parts += 1
        if isinstance(part, bytes):
            piece += part
        else:
            _encode_into(part, piece, -1)
        if len(piece) >= PIECE_BYTES or parts >= PIECE_PARTS:
            yield piece
            piece = bytearray()
            parts = 0
    yield piece


def _parts(value: Any) -> Iterator[Any]:
    """What the JSON of a value consists of, in order: text, as bytes, and what is encoded whole."""
    if isinstance(value, list):
        yield from _of_list(cast("list[Any]", value))
        return
    before = b"{"
    for name in value.__struct_fields__:
        held = getattr(value, name)
        if held is msgspec.UNSET:
            continue
        yield b'%b"%b":' % (before, name.encode())
        before = b","
        if isinstance(held, _GONE_INTO):
            yield from _parts(held)
        else:
            yield held
    yield b"}"


def _of_list(values: list[Any]) -> Iterator[Any]:
    # What was encoded is given up at once: all together takes long to free, and as much memory as the text.
    values.reverse()
    yield b"["
    while values:
        value = values.pop()
        if isinstance(value, _GONE_INTO):
            yield from _parts(value)
        else:
            yield value
        if values:
            yield b","
    yield b"]"
