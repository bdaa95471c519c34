"""Keyword postings: which slots have which string.

Sections of a column: ``hashes`` u64 [d] ascending (XXH3-64 of the d distinct strings' UTF-8), ``string_ends`` u64
[d + 1] offsets into ``strings``, ``postings`` u64 [d + 1] offsets into ``keyword_slots`` u32 (ascending per string).
"""

from array import array
from bisect import bisect_left
from itertools import pairwise

import numpy as np
import xxhash
from numpy.typing import NDArray

from projector.columns.sections import Sections, SectionSource

_INTERNED = 1 << 16


class HashCollisionError(Exception):
    """Two different strings have the same hash: such a column isn't written, filters on it are evaluated."""


class KeywordAccumulator:
    """Collects (string, slot) pairs in flat arrays; at most _INTERNED strings are Python objects at a time."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._strings = bytearray()
        self._ends = array("Q", (0,))
        self._hashes = array("Q")
        self._occurrences = array("I")
        self._slots = array("I")

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, text: str, slot: int) -> None:
        """Record a string; slots come in ascending order."""
        code = self._codes.get(text)
        if code is None:
            code = self._add_string(text)
        self._occurrences.append(code)
        self._slots.append(slot)

    def _add_string(self, text: str) -> int:
        if len(self._codes) == _INTERNED:
            self._codes.clear()
        data = text.encode("utf-8", "surrogatepass")
        code = self._codes[text] = len(self._hashes)
        self._strings += data
        self._ends.append(len(self._strings))
        self._hashes.append(xxhash.xxh3_64_intdigest(data))
        return code

    def finish(self) -> Sections:
        """The sections. Raises HashCollisionError."""
        hashes = np.frombuffer(self._hashes, np.uint64)
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        starts = np.concatenate(([True], ordered[1:] != ordered[:-1]))
        groups = np.cumsum(starts) - 1
        self._check_groups(order, starts)
        group_of_code = np.empty(len(hashes), np.uint64)
        group_of_code[order] = groups
        occurrences = group_of_code[np.frombuffer(self._occurrences, np.uint32)]
        pairs = (occurrences << np.uint64(32)) | np.frombuffer(self._slots, np.uint32)
        pairs.sort()
        counts = np.bincount((pairs >> np.uint64(32)).astype(np.int64), minlength=int(starts.sum()))
        strings = [self._string(code) for code in order[starts].tolist()]
        return {
            "hashes": ordered[starts],
            "string_ends": _offsets(np.fromiter(map(len, strings), np.uint64, len(strings))),
            "strings": np.frombuffer(b"".join(strings), np.uint8),
            "postings": _offsets(counts.astype(np.uint64)),
            "keyword_slots": pairs.astype(np.uint32),
        }

    def _string(self, code: int) -> bytes:
        return bytes(self._strings[self._ends[code] : self._ends[code + 1]])

    def _check_groups(self, order: NDArray[np.int64], starts: NDArray[np.bool_]) -> None:
        for at in np.flatnonzero(~starts).tolist():
            if self._string(int(order[at])) != self._string(int(order[at - 1])):
                raise HashCollisionError


class Keywords:
    """The reader of what KeywordAccumulator wrote."""

    def __init__(self, source: SectionSource) -> None:
        self._hashes = source.array("hashes", np.uint64).data
        self._ends = source.array("string_ends", np.uint64).data
        self._strings = source.array("strings", np.uint8).data
        self._postings = source.array("postings", np.uint64).data
        self.slots = source.array("keyword_slots", np.uint32)
        """uint32, the slots that have any string; a slot stands there once for each."""

    def postings(self, text: str) -> NDArray[np.uint32]:
        """The slots, ascending, that have this string."""
        place = self._find(text)
        if place is None:
            return self.slots[:0]
        return self.slots[self._postings[place] : self._postings[place + 1]]

    def other_postings(self, texts: set[str]) -> list[NDArray[np.uint32]]:
        """The slots that have any string but these, as pieces."""
        if not len(self._hashes):
            return []
        found = sorted(place for text in texts if (place := self._find(text)) is not None)
        edges = [-1, *found, len(self._hashes)]
        return [self.slots[self._postings[a + 1] : self._postings[b]] for a, b in pairwise(edges)]

    def _find(self, text: str) -> int | None:
        data = text.encode("utf-8", "surrogatepass")
        wanted = xxhash.xxh3_64_intdigest(data)
        place = bisect_left(self._hashes, wanted)
        if place == len(self._hashes) or self._hashes[place] != wanted:
            return None
        return place if bytes(self._strings[self._ends[place] : self._ends[place + 1]]) == data else None


def _offsets(lengths: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.concatenate((np.zeros(1, np.uint64), np.cumsum(lengths, dtype=np.uint64)))
