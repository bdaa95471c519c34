"""Sorting many on a thread: one call of ``sorted`` keeps all others waiting until it has ended."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

PIECE = 4096
"""So many are sorted at once, in about a millisecond."""
T = TypeVar("T")


def in_order(items: Iterable[T], key: Callable[[T], Any] | None = None) -> Iterator[T]:
    """The items as ``sorted`` gives them, equal ones in the order they came; those not asked for are not merged."""
    items = list(items)
    if len(items) <= PIECE:
        items.sort(key=key)  # type: ignore[arg-type]
        return iter(items)
    pieces = (items[at : at + PIECE] for at in range(0, len(items), PIECE))
    return heapq.merge(*(sorted(piece, key=key) for piece in pieces), key=key)  # type: ignore[type-var]
