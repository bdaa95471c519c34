"""The ids of a segment: numbers, then UUIDs, both ascending. A slot is a position in that order."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.ids import UUID_BASE, PointId

ABSENT = -1
_UUID_BYTES = 16


class SlotIds:
    """``numbers`` uint64 [n] and ``uuids`` S16 [m] (big-endian bytes), both ascending; slots are [0, n + m)."""

    def __init__(self, numbers: NDArray[np.uint64], uuids: NDArray[np.bytes_]) -> None:
        self.numbers = numbers
        self.uuids = uuids
        self.size = len(numbers) + len(uuids)
        self._number_view = memoryview(numbers)
        self._uuid_view = memoryview(uuids.view(np.uint8))
        self._first = int(numbers[0]) if len(numbers) else 0
        dense = len(numbers) > 0 and int(numbers[-1]) - self._first == len(numbers) - 1
        self._dense = dense

    def slot_of(self, point_id: PointId) -> int:
        """The id's slot, or -1."""
        if point_id >= UUID_BASE:
            return self._uuid_slot((point_id - UUID_BASE).to_bytes(_UUID_BYTES, "big"))
        if self._dense:
            slot = point_id - self._first
            return slot if 0 <= slot < len(self.numbers) else ABSENT
        slot = bisect_left(self._number_view, point_id)
        if slot < len(self._number_view) and self._number_view[slot] == point_id:
            return slot
        return ABSENT

    def slots_of(self, ids: Sequence[PointId]) -> NDArray[np.int64]:
        """The slots of many ids, int64 [len(ids)], -1 where absent."""
        try:
            wanted = np.array(ids, np.uint64)
        except OverflowError:
            return np.fromiter((self.slot_of(i) for i in ids), np.int64, len(ids))
        if not len(self.numbers):
            return np.full(len(ids), ABSENT, np.int64)
        slots = np.searchsorted(self.numbers, wanted)
        clipped = np.minimum(slots, len(self.numbers) - 1)
        return np.where(self.numbers[clipped] == wanted, clipped, ABSENT)

    def id_at(self, slot: int) -> PointId:
        """The id at a slot."""
        if slot < len(self._number_view):
            return PointId(self._number_view[slot])
        return PointId(UUID_BASE + int.from_bytes(self._uuid_at(slot - len(self._number_view)), "big"))

    def ids_at(self, slots: NDArray[np.integer]) -> list[PointId]:
        """The ids at many slots, in their order."""
        if not len(self.uuids):
            numbers: list[int] = self.numbers[slots].tolist()
            return [PointId(n) for n in numbers]
        wanted: list[int] = slots.tolist()
        return [self.id_at(slot) for slot in wanted]

    def _uuid_at(self, index: int) -> memoryview:
        return self._uuid_view[index * _UUID_BYTES : (index + 1) * _UUID_BYTES]

    def _uuid_slot(self, key: bytes) -> int:
        index = bisect_left(range(len(self.uuids)), key, key=lambda i: bytes(self._uuid_at(i)))
        if index < len(self.uuids) and self._uuid_at(index) == key:
            return len(self._number_view) + index
        return ABSENT
