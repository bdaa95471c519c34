"""Fields of messages that are encoded already, put together without decoding them."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from compose.grpc.numbers import write_varint

_DELIMITED = 2
"""How a message within another is written: its length, then its bytes."""


def encoded(message: Any, field: str, values: Sequence[bytes]) -> list[bytes]:
    """A field of messages, for a class of messages that has it: its values one after another, in pieces.

    Bytes of a message may be joined in any order, and with those of its other fields.
    """
    tag = write_varint(message.DESCRIPTOR.fields_by_name[field].number << 3 | _DELIMITED)
    return [piece for value in values for piece in (tag + write_varint(len(value)), value)]


def joined(pieces: Iterable[bytes]) -> bytes:
    """The pieces as one. Long ones are copied piece by piece: to join 256 MiB at once keeps other threads waiting."""
    whole = BytesIO()
    for piece in pieces:
        whole.write(piece)
    return whole.getvalue()
