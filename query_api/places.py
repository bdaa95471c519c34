"""Places: a part of a view by its number, and a slot in it, as one integer. They are good for that view only."""

_SLOT_BITS = 32
_SLOT = (1 << _SLOT_BITS) - 1


def first_place(part: int) -> int:
    """The place of a part's first slot; those of the others follow."""
    return part << _SLOT_BITS


def part_and_slot(place: int) -> tuple[int, int]:
    """The opposite: the part's number, and the slot."""
    return place >> _SLOT_BITS, place & _SLOT
