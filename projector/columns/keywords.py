"""Keyword postings: which slots have which string.

Sections of a column: ``hashes`` u64 [d] ascending (XXH3-64 of the d distinct strings' UTF-8), ``string_ends`` u64
[d + 1] offsets into ``strings``, ``postings`` u64 [d + 1] offsets into ``keyword_slots`` u32 (ascending per string);
for the strings of many slots ``dense_places`` u32, which they are, and ``bitmaps``. ``datetimes`` are in ``numbers``.
"""

from array import array
from bisect import bisect_left
from itertools import pairwise

import numpy as np
import xxhash
from numpy.typing import NDArray

from projector.columns.bitmaps import Mask, Slots, bitmap, is_dense
from projector.columns.numbers import INT64_MIN, ordered_pairs
from projector.columns.sections import Sections, SectionSource
from schemas.datetimes import parse_datetime

_INTERNED = 1 << 16
_NO_MOMENT = INT64_MIN


class HashCollisionError(Exception):
    """Two different strings have the same hash: such a column isn't written, filters on it are evaluated."""


class KeywordAccumulator:
    """Collects (string, slot) pairs in flat arrays; at most _INTERNED strings are Python objects at a time.

    A string has a code, or several when it was forgotten in between.
    """

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._strings = bytearray()
        self._ends = array("Q", (0,))
        self._hashes = array("Q")
        self._moments = array("q")
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
        moment = _datetime(text)
        self._moments.append(_NO_MOMENT if moment is None else moment)
        return code

    def finish(self, size: int) -> Sections:
        """The sections, for ``size`` slots. Raises HashCollisionError."""
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
        postings = _offsets(counts.astype(np.uint64))
        keyword_slots = pairs.astype(np.uint32)
        return {
            "hashes": ordered[starts],
            "string_ends": _offsets(np.fromiter(map(len, strings), np.uint64, len(strings))),
            "strings": np.frombuffer(b"".join(strings), np.uint8),
            "postings": postings,
            "keyword_slots": keyword_slots,
            **_dense(postings, keyword_slots, size),
            **self._datetimes(),
        }

    def _datetimes(self) -> Sections:
        moments = np.frombuffer(self._moments, np.int64)[np.frombuffer(self._occurrences, np.uint32)]
        found = moments != _NO_MOMENT
        if not found.any():
            return {}
        return ordered_pairs("datetimes", moments[found], np.frombuffer(self._slots, np.uint32)[found])

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
        self._dense_places = source.array("dense_places", np.uint32).data
        bitmaps = source.array("bitmaps", np.uint8)
        self._bitmaps = bitmaps.reshape(max(1, len(self._dense_places)), -1)

    def of_any(self, values: frozenset[str | int]) -> list[Slots]:
        """The slots that have one of the strings among ``values``, as pieces."""
        if len(values) >= len(self._hashes):
            return [self.slots[self._among(values)]]
        return [self.postings(value) for value in values if isinstance(value, str)]

    def of_others(self, values: frozenset[str | int]) -> list[Slots]:
        """The slots that have any string that is not among ``values``, as pieces."""
        if len(values) >= len(self._hashes):
            return [self.slots[~self._among(values)]]
        found = (self._find(value) for value in values if isinstance(value, str))
        edges = [-1, *sorted(place for place in found if place is not None), len(self._hashes)]
        return [self.slots[self._postings[a + 1] : self._postings[b]] for a, b in pairwise(edges)]

    def _among(self, values: frozenset[str | int]) -> NDArray[np.bool_]:
        """Which of ``slots`` stand for a string in ``values``; looks at each string once, however many values."""
        strings, ends = self._strings.tobytes(), pairwise(self._ends.tolist())
        found = (strings[start:end].decode("utf-8", "surrogatepass") in values for start, end in ends)
        return np.repeat(np.fromiter(found, np.bool_, len(self._hashes)), np.diff(self._postings).astype(np.int64))

    def counts(self, mask: Mask | None) -> dict[str, int]:
        """How many of the slots in ``mask``, bool [slots], have each string that any of them has."""
        codes = np.repeat(np.arange(len(self._hashes)), np.diff(self._postings).astype(np.int64))
        kept = np.ones(len(codes), np.bool_)
        kept[1:] = (codes[1:] != codes[:-1]) | (self.slots[1:] != self.slots[:-1])
        if mask is not None:
            kept &= mask[self.slots]
        counts = np.bincount(codes[kept], minlength=len(self._hashes))
        return {self._text(place): int(counts[place]) for place in np.flatnonzero(counts).tolist()}

    def _text(self, place: int) -> str:
        return bytes(self._strings[self._ends[place] : self._ends[place + 1]]).decode("utf-8", "surrogatepass")

    def postings(self, text: str) -> Slots:
        """The slots that have this string."""
        place = self._find(text)
        if place is None:
            return self.slots[:0]
        at = bisect_left(self._dense_places, place)
        if at < len(self._dense_places) and self._dense_places[at] == place:
            return self._bitmaps[at]
        return self.slots[self._postings[place] : self._postings[place + 1]]

    def _find(self, text: str) -> int | None:
        data = text.encode("utf-8", "surrogatepass")
        wanted = xxhash.xxh3_64_intdigest(data)
        place = bisect_left(self._hashes, wanted)
        if place == len(self._hashes) or self._hashes[place] != wanted:
            return None
        return place if bytes(self._strings[self._ends[place] : self._ends[place + 1]]) == data else None


def _dense(postings: NDArray[np.uint64], slots: NDArray[np.uint32], size: int) -> Sections:
    """A bitmap, too, for each string of many slots: turning one into a mask takes a tenth of the time."""
    places = [p for p, count in enumerate(np.diff(postings).tolist()) if is_dense(count, size)]
    if not places:
        return {}
    bitmaps = [bitmap(slots[postings[p] : postings[p + 1]], size) for p in places]
    return {"dense_places": np.array(places, np.uint32), "bitmaps": np.concatenate(bitmaps)}


def _datetime(text: str) -> int | None:
    """Like parse_datetime, after a glance that spares most strings the parsing."""
    first = text[:1]
    if not (first.isdigit() or first.isspace()) or "-" not in text:
        return None
    return parse_datetime(text)


def _offsets(lengths: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.concatenate((np.zeros(1, np.uint64), np.cumsum(lengths, dtype=np.uint64)))
