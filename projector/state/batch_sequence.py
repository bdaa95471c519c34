"""Batches are numbered, and the last numbers are kept, so that one that is missing between others is noticed.

RocksDB takes a write-ahead log that was cut for one that was being written when the process died, even where a newer
one follows, and a manifest that was cut for all there is: what was written after the cut is there, what was written
before it is not.
"""

from collections.abc import Iterable
from typing import Protocol

PREFIX = b"n"
KEPT = 1 << 15
"""So many of the last numbers are kept at least."""
EVERY = 1 << 12
"""After so many batches what is in memory is moved into table files, and numbers are dropped: those kept reach back
over several such files, of which a cut manifest can lose only the last few before files are missing that it names."""

_WIDTH = 8


class Numbered(Protocol):
    """A batch that takes a number."""

    def put(self, key: bytes, value: bytes) -> None:
        """Write a key."""
        ...

    def delete_range(self, start: bytes, end: bytes) -> None:
        """Remove all keys from ``start`` to ``end``, without that one."""
        ...


class BatchSequence:
    """The numbers of the batches of one database: under ``PREFIX`` and the number, the lowest that is kept."""

    def __init__(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """``entries`` are all keys with PREFIX, and their values, in order."""
        numbers: list[int] = []
        self._lowest = 1
        for key, value in entries:
            numbers.append(int.from_bytes(key[len(PREFIX) :], "big"))
            self._lowest = int.from_bytes(value, "big")
        self.last = numbers[-1] if numbers else 0
        kept = sum(number >= self._lowest for number in numbers)
        self.missing = self.last - self._lowest + 1 - kept
        """How many batches are not there though later ones are."""

    def number(self, batch: Numbered) -> None:
        """Give ``batch`` the next number; it counts once ``written`` is called."""
        number = self.last + 1
        if number % EVERY == 0 and number - KEPT > self._lowest:
            lowest = number - KEPT
            batch.delete_range(_key(self._lowest), _key(lowest))
            self._lowest = lowest
        batch.put(_key(number), self._lowest.to_bytes(_WIDTH, "big"))

    def written(self) -> bool:
        """The batch that was numbered is written. Returns whether what is in memory is to be moved into files."""
        self.last += 1
        return self.last % EVERY == 0


def _key(number: int) -> bytes:
    return PREFIX + number.to_bytes(_WIDTH, "big")
