"""Sets of slots: a list of them where they are few, a bitmap where they are many, whichever is smaller.

A list is uint32; a bitmap is uint8 [ceil(size / 8)], the first slot in the lowest bit; a mask is bool [size]. The
dtype tells which it is. (The first two are the containers of roaring bitmaps: Chambi, Lemire, Kaser and Godin 2016.)
"""

from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.columns.sections import Sections, SectionSource

Mask = NDArray[np.bool_]
Slots = NDArray[np.uint32] | NDArray[np.uint8] | Mask

DENSE = 32
"""From every so many-th slot on a bitmap is smaller."""


def slot_sections(name: str, slots: NDArray[np.uint32], size: int) -> Sections:
    """The section of slots below ``size``: a list, or, named so, a bitmap."""
    return {f"{name}_bits": bitmap(slots, size)} if is_dense(len(slots), size) else {name: slots}


class SlotList:
    """Collects ascending slots, each once, for the section ``name``."""

    __slots__ = ("_last", "_name", "slots")

    def __init__(self, name: str) -> None:
        self._name = name
        self._last = -1
        self.slots = array("I")

    def __len__(self) -> int:
        return len(self.slots)

    def add(self, slot: int) -> None:
        """Record a slot; they come in ascending order."""
        if slot != self._last:
            self._last = slot
            self.slots.append(slot)

    def finish(self, size: int) -> Sections:
        """The section, none when there are no slots."""
        return slot_sections(self._name, np.frombuffer(self.slots, np.uint32), size) if self.slots else {}


def set_of_slots(source: SectionSource, name: str) -> NDArray[np.uint32] | NDArray[np.uint8]:
    """What ``slot_sections`` wrote."""
    bits = source.array(f"{name}_bits", np.uint8)
    return bits if len(bits) else source.array(name, np.uint32)


def is_dense(count: int, size: int) -> bool:
    """Whether a bitmap is the smaller form of ``count`` slots."""
    return count * DENSE > size


def mark(mask: Mask, slots: NDArray[Any]) -> None:
    """Set the mask at slots in any order. In the form numpy looks places up in: twice as fast as from uint32."""
    mask[slots.astype(np.intp, copy=False)] = True


def bitmap(slots: NDArray[np.integer], size: int) -> NDArray[np.uint8]:
    """The bitmap of slots in any order."""
    mask = np.zeros(size, np.bool_)
    mark(mask, slots)
    return np.packbits(mask, bitorder="little")


def mask_of(pieces: Iterable[Slots], size: int) -> Mask:
    """The union of sets as a mask, bool [size]. Lists may be in any order and name a slot twice.

    A mask among the pieces becomes the caller's to lose: it may be written to.
    """
    mask: Mask | None = None
    for piece in pieces:
        if piece.dtype == np.uint32:
            if mask is None:
                mask = np.zeros(size, np.bool_)
            mark(mask, piece)
        elif len(piece):
            whole = unpack(piece, size) if piece.dtype == np.uint8 else piece.view(np.bool_)
            mask = whole if mask is None else mask | whole
    return np.zeros(size, np.bool_) if mask is None else mask


def unpack(bits: Slots, size: int) -> Mask:
    """A bitmap as a mask."""
    return np.unpackbits(bits.view(np.uint8), count=size, bitorder="little").view(np.bool_)
