"""The read-your-writes token."""

from schemas.errors import BadInputError

OFFSETS_HEADER = b"x-headwater-offsets"
CATALOG_PARTITION = -1
"""Stands for the catalog's one partition in a token; written ``catalog``."""
_CATALOG_NAME = "catalog"
MAX_OFFSETS = 1024

Offset = tuple[int, int]
"""(partition, offset)."""


def render_offsets(offsets: tuple[Offset, ...]) -> bytes:
    """The token for records at ``offsets``: ``partition:offset``, comma separated."""
    named = [(_CATALOG_NAME if number == CATALOG_PARTITION else number, offset) for number, offset in offsets]
    return ",".join([f"{name}:{offset}" for name, offset in named]).encode()


def parse_offsets(value: bytes) -> tuple[Offset, ...]:
    """The inverse of ``render_offsets``. Raises BadInputError."""
    parts = value.decode("latin-1").split(",")
    if len(parts) > MAX_OFFSETS:
        raise BadInputError(f"Wrong input: {OFFSETS_HEADER.decode()} has at most {MAX_OFFSETS} offsets")
    return tuple(_parse_offset(part.strip()) for part in parts if part.strip())


def _parse_offset(text: str) -> Offset:
    partition, _, offset = text.partition(":")
    number = CATALOG_PARTITION if partition == _CATALOG_NAME else _number(partition)
    value = _number(offset)
    if number is None or value is None:
        shown = text[:40]
        raise BadInputError(f"Wrong input: {OFFSETS_HEADER.decode()}: {shown!r} is not `partition:offset`")
    return number, value


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None
