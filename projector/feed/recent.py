"""Recent: what is kept of the last records, for readers that begin to read later."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

KEPT_OFFSETS = 10_000

ItemT = TypeVar("ItemT")


class Recent(Generic[ItemT]):
    """Something that some records have, by offset, for the last ``KEPT_OFFSETS`` offsets."""

    def __init__(self, known_after: int, items: Iterable[tuple[int, ItemT]] = ()) -> None:
        """Of the records up to offset ``known_after`` nothing is known but ``items``, ordered by offset."""
        self._items = deque(items)
        self.known_after = known_after
        """Every record above this offset that had something is here."""

    def add(self, offset: int, item: ItemT) -> None:
        """The record at ``offset``, the highest so far, has ``item``."""
        self._items.append((offset, item))

    def advance(self, offset: int) -> None:
        """There was a record at ``offset``; forget what is too old now."""
        oldest = offset - KEPT_OFFSETS
        self.known_after = max(self.known_after, oldest)
        while self._items and self._items[0][0] <= oldest:
            self._items.popleft()

    def items(self) -> Sequence[tuple[int, ItemT]]:
        """(offset, item), by offset."""
        return list(self._items)
