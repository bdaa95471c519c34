"""How deep lists and objects may be nested in what is kept as it came."""

from collections.abc import Sequence
from typing import Any

from schemas.errors import BadInputError

MAX_DEPTH = 64
"""Levels in a payload, or in a configuration's metadata: far from where a codec's recursion ends."""


def check_depth(value: object, limit: int = MAX_DEPTH, what: str = "payload") -> None:
    """Raise BadInputError, of ``what``, when lists and objects are nested in more than ``limit`` levels."""
    level: list[Any] = [value]
    for _ in range(max(limit, 0)):
        level = [v for item in level for v in _children(item)]
        if not level:
            return
    raise BadInputError(f"{what} is nested deeper than {limit} levels")


def _children(item: Any) -> list[Any]:
    # MessagePack's maps may have arrays as keys, which are decoded to tuples.
    values: Sequence[Any] = [*item, *item.values()] if isinstance(item, dict) else item  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType, reportUnknownMemberType]
    return [v for v in values if isinstance(v, dict | list | tuple)]
