"""Postings: which slots have which string.

Sections: ``hashes`` u64 [d] ascending (XXH3-64 of the d distinct strings' UTF-8), ``string_ends`` u64 [d + 1] offsets
into ``strings``, ``postings`` u64 [d + 1] offsets into ``keyword_slots`` u32 (ascending per string, each once); for
the strings of many slots ``dense_places`` u32, which they are, and ``bitmaps``. And the other way round, where many
slots have a string: ``places`` u32, each slot's strings by their places in that order, with ``place_ends`` u32
[slots + 1] offsets into it unless every slot has one at most: then ``places`` is [slots], NO_PLACE for none.
"""

from array import array
from bisect import bisect_left
from itertools import pairwise

import numpy as np
import xxhash
from numpy.typing import NDArray

from projector.columns.bitmaps import Slots, bitmap, is_dense
from projector.columns.sections import Sections, SectionSource
from projector.columns.slot_set import SlotSet

_INTERNED = 1 << 16
NO_PLACE = (1 << 32) - 1


class HashCollisionError(Exception):
    """Two different strings have the same hash: such a column isn't written, filters on it are evaluated."""


class PostingsAccumulator:
    """Collects (string, slot) pairs in flat arrays; at most _INTERNED strings are Python objects at a time.

    A string has a code, or several when it was forgotten in between.
    """

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

    def finish(self, size: int) -> Sections:
        """The sections, for ``size`` slots; none when there are no strings. Raises HashCollisionError."""
        if not len(self):
            return {}
        hashes = np.frombuffer(self._hashes, np.uint64)
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        starts = np.concatenate(([True], ordered[1:] != ordered[:-1]))
        self._check_groups(order, starts)
        place_of_code = np.empty(len(hashes), np.uint64)
        place_of_code[order] = np.cumsum(starts) - 1
        pairs = place_of_code[np.frombuffer(self._occurrences, np.uint32)] << np.uint64(32)
        pairs |= np.frombuffer(self._slots, np.uint32)
        pairs.sort()
        distinct = np.concatenate(([True], pairs[1:] != pairs[:-1]))
        pairs = pairs[distinct]
        places, slots = (pairs >> np.uint64(32)).astype(np.uint32), pairs.astype(np.uint32)
        postings = _offsets(np.bincount(places, minlength=int(starts.sum())).astype(np.uint64))
        strings = [self._string(code) for code in order[starts].tolist()]
        return {
            "hashes": ordered[starts],
            "string_ends": _offsets(np.fromiter(map(len, strings), np.uint64, len(strings))),
            "strings": np.frombuffer(b"".join(strings), np.uint8),
            "postings": postings,
            "keyword_slots": slots,
            **_dense(postings, slots, size),
            **_by_slot(places, slots, size),
        }

    def _string(self, code: int) -> bytes:
        return bytes(self._strings[self._ends[code] : self._ends[code + 1]])

    def _check_groups(self, order: NDArray[np.int64], starts: NDArray[np.bool_]) -> None:
        for at in np.flatnonzero(~starts).tolist():
            if self._string(int(order[at])) != self._string(int(order[at - 1])):
                raise HashCollisionError


class Postings:
    """The reader of what PostingsAccumulator wrote."""

    def __init__(self, source: SectionSource, size: int, prefix: str = "") -> None:
        """``prefix`` stands before the sections' names."""
        self._size = size
        self._hashes = source.array(f"{prefix}hashes", np.uint64).data
        self._ends = source.array(f"{prefix}string_ends", np.uint64).data
        self._strings = source.array(f"{prefix}strings", np.uint8).data
        self._postings = source.array(f"{prefix}postings", np.uint64).data
        self.slots = source.array(f"{prefix}keyword_slots", np.uint32)
        """uint32, the slots that have any string; a slot stands there once for each."""
        self._dense_places = source.array(f"{prefix}dense_places", np.uint32).data
        bitmaps = source.array(f"{prefix}bitmaps", np.uint8)
        self._bitmaps = bitmaps.reshape(max(1, len(self._dense_places)), -1)
        self._places = source.array(f"{prefix}places", np.uint32)
        self._place_ends = source.array(f"{prefix}place_ends", np.uint32)

    def __len__(self) -> int:
        return len(self._hashes)

    def any(self) -> SlotSet:
        """The slots that have a string."""
        return SlotSet.union([self.slots], self._size)

    def of(self, text: str) -> Slots:
        """The slots that have this string."""
        place = self._find(text)
        return self.slots[:0] if place is None else self._of_place(place)

    def of_any(self, values: frozenset[str | int]) -> list[Slots]:
        """The slots that have one of the strings among ``values``, as pieces."""
        if len(values) >= len(self._hashes):
            return [self._of_place(place) for place, text in enumerate(self.texts()) if text in values]
        return [self.of(value) for value in values if isinstance(value, str)]

    def of_others(self, values: frozenset[str | int]) -> list[Slots]:
        """The slots that have any string that is not among ``values``, as pieces."""
        if len(values) >= len(self._hashes):
            return [self._of_place(place) for place, text in enumerate(self.texts()) if text not in values]
        found = (self._find(value) for value in values if isinstance(value, str))
        edges = [-1, *sorted(place for place in found if place is not None), len(self._hashes)]
        return [self.slots[self._postings[a + 1] : self._postings[b]] for a, b in pairwise(edges)]

    def of_places(self, places: list[int]) -> SlotSet:
        """The slots that have one of some strings, told by their places among ``texts``."""
        return SlotSet.union([self._of_place(place) for place in places], self._size)

    def texts(self) -> list[str]:
        """The distinct strings, by place. Takes a microsecond each."""
        data, ends = self._strings.tobytes(), self._ends.tolist()
        if data.isascii():
            whole = data.decode("ascii")
            return [whole[start:end] for start, end in pairwise(ends)]
        return [data[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise(ends)]

    def counts(self, among: SlotSet | None) -> dict[str, int]:
        """How many of the slots ``among`` have each string that any of them has."""
        counts = self._counts(among)
        places: list[int] = np.flatnonzero(counts).tolist()
        if len(places) == len(counts):
            return dict(zip(self.texts(), counts.tolist(), strict=True))
        return {self._text(place): int(counts[place]) for place in places}

    def at(self, slots: NDArray[np.int64]) -> list[str | None] | None:
        """The one string of each of some slots, None for none; None unless every slot has one at most, and many do."""
        if not len(self._places) or len(self._place_ends):
            return None
        places: list[int] = self._places[slots].tolist()
        texts = {place: self._text(place) for place in set(places) if place != NO_PLACE}
        return [texts.get(place) for place in places]

    def _counts(self, among: SlotSet | None) -> NDArray[np.int64]:
        ends = np.asarray(self._postings).astype(np.int64)
        if len(self._places) and among is None:
            return np.diff(ends)
        if len(self._places) and among is not None and among.is_list:
            places = self._places_at(among.slots())
            if len(places) and places.max() >= len(self):
                raise IndexError(f"string {places.max()} of {len(self)}")
            return np.bincount(places, minlength=len(self))
        kept = np.ones(len(self.slots), np.bool_) if among is None else among.has(self.slots)
        if not len(self._places):
            # An earlier release wrote a string that a slot has twice twice.
            kept[1:] &= self.slots[1:] != self.slots[:-1]
            starts = ends[:-1][np.diff(ends) > 0]
            kept[starts] = True if among is None else among.has(self.slots[starts])
        before = np.concatenate((np.zeros(1, np.int64), np.cumsum(kept)))
        return before[ends[1:]] - before[ends[:-1]] if len(ends) else np.zeros(0, np.int64)

    def _places_at(self, slots: NDArray[np.int64]) -> NDArray[np.uint32]:
        """The places of all strings of some slots."""
        if not len(self._place_ends):
            places = self._places[slots]
            return places[places != NO_PLACE]
        starts = self._place_ends[slots].astype(np.int64)
        lengths = self._place_ends[slots + 1] - starts
        firsts = np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        return self._places[firsts + np.arange(len(firsts))]

    def _of_place(self, place: int) -> Slots:
        at = bisect_left(self._dense_places, place)
        if at < len(self._dense_places) and self._dense_places[at] == place:
            return self._bitmaps[at]
        return self.slots[self._postings[place] : self._postings[place + 1]]

    def _text(self, place: int) -> str:
        return bytes(self._strings[self._ends[place] : self._ends[place + 1]]).decode("utf-8", "surrogatepass")

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


def _by_slot(places: NDArray[np.uint32], slots: NDArray[np.uint32], size: int) -> Sections:
    """The strings of each slot, where many have any."""
    if not is_dense(len(slots), size):
        return {}
    lengths = np.bincount(slots, minlength=size)
    if lengths.max() > 1:
        ends = np.concatenate((np.zeros(1, np.uint32), np.cumsum(lengths, dtype=np.uint32)))
        return {"places": places[np.argsort(slots, kind="stable")], "place_ends": ends}
    of_slots = np.full(size, NO_PLACE, np.uint32)
    of_slots[slots] = places
    return {"places": of_slots}


def _offsets(lengths: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.concatenate((np.zeros(1, np.uint64), np.cumsum(lengths, dtype=np.uint64)))
