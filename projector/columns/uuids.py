"""UUIDs, in whatever spelling: strings of a key that has a uuid index.

Sections of a column: ``uuids`` u8 [m, 16], big-endian and ascending, ``uuids_slots`` u32.
"""

from array import array
from collections import Counter

import numpy as np

from projector.columns.sections import Sections, SectionSource
from projector.columns.selection import Selection, known
from projector.columns.slot_set import SlotSet
from schemas.filters import ElementTest, IsOfType, MatchUuid
from schemas.ids import UUID_BASE, PointId, render_point_id
from schemas.matching.uuids import uuid_of

_BYTES = 16


class UuidAccumulator:
    """Collects strings that are UUIDs."""

    def __init__(self) -> None:
        self._uuids = bytearray()
        self._slots = array("I")

    def add(self, value: str, slot: int) -> None:
        """Record a string; slots come in ascending order."""
        uuid = uuid_of(value)
        if uuid is not None:
            self._uuids += uuid.to_bytes(_BYTES, "big")
            self._slots.append(slot)

    def finish(self, size: int) -> Sections:
        """The sections."""
        if not self._slots:
            return {}
        rows = np.frombuffer(self._uuids, ">u8").reshape(-1, 2)
        order = np.lexsort((rows[:, 1], rows[:, 0]))
        return {
            "uuids": rows[order].view(np.uint8).reshape(-1),
            "uuids_slots": np.frombuffer(self._slots, np.uint32)[order],
        }


class Uuids:
    """The reader of what UuidAccumulator wrote."""

    tests = (MatchUuid, IsOfType)

    def __init__(self, source: SectionSource, size: int) -> None:
        self._size = size
        self._uuids = source.array("uuids", np.uint8)
        self._slots = source.array("uuids_slots", np.uint32)

    def select(self, test: ElementTest) -> Selection:
        """The slots where a UUID passes that is looked for, not excluded."""
        match test:
            case MatchUuid():
                return known(SlotSet.union([self._of(uuid) for uuid in test.uuids], self._size))
            case IsOfType(data_type="uuid"):
                return known(SlotSet.union([self._slots], self._size))
            case _:
                return known(SlotSet.nothing(self._size))

    def counts(self, among: SlotSet | None) -> Counter[str]:
        """How many of the slots ``among`` have each UUID, in the form with hyphens."""
        counts: Counter[str] = Counter()
        kept = np.ones(len(self._slots), np.bool_) if among is None else among.has(self._slots)
        rows = self._uuids.view(">u8").reshape(-1, 2)
        # A slot that has a UUID in two spellings has it once; both stand side by side.
        kept[1:] &= (rows[1:] != rows[:-1]).any(axis=1) | (self._slots[1:] != self._slots[:-1])
        rows = rows[kept]
        starts = np.concatenate(([True], (rows[1:] != rows[:-1]).any(axis=1))) if len(rows) else np.zeros(0, np.bool_)
        places = np.flatnonzero(starts)
        lengths = np.diff(places, append=len(rows)).tolist()
        for (high, low), length in zip(rows[places].tolist(), lengths, strict=True):
            counts[str(render_point_id(PointId(UUID_BASE + (high << 64 | low))))] = length
        return counts

    def _of(self, uuid: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
        start, stop = self._lower_bound(uuid), self._lower_bound(uuid + 1)
        return self._slots[start:stop]

    def _lower_bound(self, uuid: int) -> int:
        low, high = 0, len(self._slots)
        data = self._uuids.data
        while low < high:
            middle = (low + high) // 2
            if int.from_bytes(data[middle * _BYTES : (middle + 1) * _BYTES], "big") < uuid:
                low = middle + 1
            else:
                high = middle
        return low
