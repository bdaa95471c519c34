"""SlotSet: some of the slots of a segment, as a list where they are few and as a mask where they are many.

What is done with sets costs what is in them while both are lists; a mask costs what the segment holds. Which form a set
has, its operations choose; both give the same.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.columns.bitmaps import Mask, Slots, is_dense, mark, mask_of

List = NDArray[Any]
"""Slots as integers, ascending, each once."""


class SlotSet:
    """A set of slots below ``size``. Immutable, as are its arrays.

    A list has at most one slot in ``bitmaps.DENSE``. Measured on 200,000 and 1,000,000 slots: with as many, sorting
    them takes as long as making a mask of them and going through that.
    """

    __slots__ = ("_count", "_found_list", "_found_mask", "_make", "_slots", "size")

    def __init__(self, size: int, slots: List | None, mask: Mask | None) -> None:
        """One of ``slots`` and ``mask``; see ``of``, ``of_mask``, ``union``."""
        self.size = size
        self._found_list = slots
        self._found_mask = mask
        self._make: Callable[[], SlotSet] | None = None
        self._slots: NDArray[np.int64] | None = None
        self._count = -1 if slots is None else len(slots)

    @staticmethod
    def nothing(size: int) -> "SlotSet":
        """No slot."""
        return SlotSet(size, np.empty(0, np.uint32), None)

    @staticmethod
    def everything(size: int) -> "SlotSet":
        """Every slot."""
        return SlotSet(size, None, np.ones(size, np.bool_))

    @staticmethod
    def of(slots: List, size: int) -> "SlotSet":
        """Slots that are ascending, each once."""
        if not is_dense(len(slots), size):
            return SlotSet(size, slots, None)
        mask = np.zeros(size, np.bool_)
        mark(mask, slots)
        return SlotSet(size, None, mask)

    @staticmethod
    def of_mask(mask: Mask) -> "SlotSet":
        """The slots that a mask, bool [size], has."""
        return SlotSet(len(mask), None, mask)

    @staticmethod
    def later(count: int, size: int, make: Callable[[], "SlotSet"]) -> "SlotSet":
        """The ``count`` slots that ``make`` gives, as ``of`` or ``union`` would, once they are asked for.

        To count what passes a filter takes no list and no mask. Raises what ``make`` does, wherever slots are needed.
        """
        known = SlotSet(size, None, None)
        known._count = count
        known._make = make
        return known

    @staticmethod
    def union(pieces: Sequence[Slots], size: int) -> "SlotSet":
        """What any piece has. Lists may be in any order and name a slot twice; masks may be written to.

        Raises IndexError for a slot that is not below ``size``.
        """
        pieces = [piece for piece in pieces if len(piece)]
        if not pieces:
            return SlotSet.nothing(size)
        lists = all(piece.dtype == np.uint32 for piece in pieces)
        if not lists or is_dense(sum(map(len, pieces)), size):
            return SlotSet.of_mask(mask_of(pieces, size))
        slots = np.sort(pieces[0] if len(pieces) == 1 else np.concatenate(pieces))
        if slots[-1] >= size:
            raise IndexError(f"slot {slots[-1]} of {size}")
        kept = np.ones(len(slots), np.bool_)
        np.not_equal(slots[1:], slots[:-1], out=kept[1:])
        return SlotSet(size, slots if kept.all() else slots[kept], None)

    @staticmethod
    def join(pieces: Sequence[tuple[int, "SlotSet"]], size: int) -> "SlotSet":
        """The slots of sets that lie one after another, each with the slot at which it begins."""
        if all(piece.is_list for _, piece in pieces):
            lists = [piece.slots() + start for start, piece in pieces if len(piece)]
            return SlotSet.of(np.concatenate(lists), size) if lists else SlotSet.nothing(size)
        mask = np.zeros(size, np.bool_)
        for start, piece in pieces:
            mask[start : start + piece.size] = piece.mask()
        return SlotSet.of_mask(mask)

    @property
    def _list(self) -> List | None:
        if (make := self._make) is not None:
            self._find(make)
        return self._found_list

    @property
    def _mask(self) -> Mask | None:
        if (make := self._make) is not None:
            self._find(make)
        return self._found_mask

    def _find(self, make: "Callable[[], SlotSet]") -> None:
        # Two threads may do so at once: what they find is the same.
        made = make()
        self._found_list, self._found_mask = made._list, made._mask
        self._make = None

    @property
    def is_list(self) -> bool:
        """Whether this is a list: few slots."""
        if self._make is not None:
            return not is_dense(self._count, self.size)
        return self._found_list is not None

    def __len__(self) -> int:
        if self._count < 0:
            self._count = int(np.count_nonzero(self.mask()))
        return self._count

    @property
    def is_empty(self) -> bool:
        """Whether there is none, as far as that is known without counting."""
        return self._count == 0

    def __contains__(self, slot: int) -> bool:
        return bool(self.has(np.array([slot]))[0])

    def slots(self) -> NDArray[np.int64]:
        """The slots, ascending; not to be written to."""
        if self._slots is None:
            own = self._list
            self._slots = np.flatnonzero(self.mask()) if own is None else own.astype(np.int64, copy=False)
        return self._slots

    def mask(self) -> Mask:
        """Bool [size]; not to be written to."""
        if self._mask is None:
            mask = np.zeros(self.size, np.bool_)
            mark(mask, self.slots())
            return mask
        return self._mask

    def has(self, slots: NDArray[np.integer]) -> Mask:
        """Which of some slots are in the set, bool [len(slots)]."""
        if self._mask is not None:
            return self._mask[slots]
        own = self._list
        if own is None or not len(own):
            return np.zeros(len(slots), np.bool_)
        places = own.searchsorted(slots.astype(own.dtype, copy=False))
        places[places == len(own)] = 0
        return own[places] == slots

    def part(self, start: int, stop: int) -> "SlotSet":
        """The slots from ``start`` up to ``stop``, counted from there."""
        if (start, stop) == (0, self.size):
            return self
        if self._mask is not None:
            return SlotSet.of_mask(self._mask[start:stop])
        slots = self.slots()
        first, last = slots.searchsorted((start, stop))
        return SlotSet.of(slots[first:last] - start, stop - start)

    def at(self, slots: List) -> "SlotSet":
        """The places in ``slots``, which are ascending, of those in the set; a set below len(slots)."""
        if self._mask is not None:
            return SlotSet.of_mask(self._mask[slots])
        own = self.slots()
        places = slots.searchsorted(own.astype(slots.dtype, copy=False))
        inside = places < len(slots)
        places, own = places[inside], own[inside]
        return SlotSet.of(places[slots[places] == own], len(slots))

    def only(self, keep: Mask) -> "SlotSet":
        """Those of a list that are marked, bool [len(self)]."""
        return self if self._list is None or keep.all() else SlotSet(self.size, self._list[keep], None)

    def without(self, slots: NDArray[np.integer]) -> "SlotSet":
        """All but some slots, which are in any order, each once. Of a mask, at the cost of these and of a copy."""
        if self._mask is None:
            return self - SlotSet.of(np.sort(slots), self.size)
        mask = self._mask.copy()
        mask[slots] = False
        left = SlotSet.of_mask(mask)
        left._count = len(self) - int(np.count_nonzero(self._mask[slots]))
        return left

    def __and__(self, other: "SlotSet") -> "SlotSet":
        if self._mask is not None and other._mask is not None:
            return SlotSet.of_mask(self._mask & other._mask)
        few, more = (other, self) if self._list is None or (other.is_list and len(other) < len(self)) else (self, other)
        return few.only(more.has(few.slots())) if len(few) else few

    def __or__(self, other: "SlotSet") -> "SlotSet":
        if self._mask is not None and other._mask is not None:
            return SlotSet.of_mask(self._mask | other._mask)
        if self.is_empty or other.is_empty:
            return other if self.is_empty else self
        if self._list is not None and other._list is not None:
            return SlotSet.union([self._list.astype(np.uint32), other._list.astype(np.uint32)], self.size)
        few, more = (self, other) if self._mask is None else (other, self)
        mask = more.mask().copy()
        mask[few.slots()] = True
        return SlotSet.of_mask(mask)

    def __sub__(self, other: "SlotSet") -> "SlotSet":
        if self._list is not None:
            return self.only(~other.has(self._list)) if len(self._list) and not other.is_empty else self
        if other.is_empty:
            return self
        mask = self.mask().copy()
        if other._mask is None:
            mask[other.slots()] = False
        else:
            mask &= ~other._mask
        return SlotSet.of_mask(mask)

    def __invert__(self) -> "SlotSet":
        if self._mask is not None:
            return SlotSet.of_mask(~self._mask)
        return SlotSet.everything(self.size) - self
