"""Points in the order of a payload key's values."""

from collections.abc import Iterator
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from projector.columns.slot_set import SlotSet
from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.selection import passing_slots, slots_within
from query_api.hits import Hit, first, first_place
from query_api.plan.leaves import Ordered
from schemas.datetimes import parse_datetime
from schemas.json_path import elements_at
from schemas.validation import decode_payload

_SLOT_US = 0.002
_HIT_US = 1.2
_READ_US = 8.0
_INT64 = 1 << 63
_LEAST_WINDOW = 64
_WIDER = 4
Pairs = tuple[NDArray[Any], NDArray[np.integer]]
"""Values, ascending, and the slots that have them."""


def find_ordered(view: ShardView, leaf: Ordered, allowance: Allowance) -> list[Hit]:
    """The first points that have a value, once for each of them, in its order; those of equal values by id."""
    hits: list[Hit] = []
    for number, part in enumerate(view.parts):
        found = passing_slots(part, leaf.filter)
        for start, values, slots in _pairs(part, leaf, found, allowance):
            values, slots = _first_passing(leaf, found, start, values, slots)
            places: list[int] = (slots.astype(np.int64) + first_place(number)).tolist()
            for value, point_id, place in zip(values.tolist(), part.ids_at(slots), places, strict=True):
                hits.append(Hit(-value if leaf.descending else value, point_id, 1.0, place, 0, value))
    return first(hits, leaf.limit)


def ordered_us(view: ShardView, leaf: Ordered) -> float:
    """How long that takes, in microseconds, once it is known what passes."""
    return sum(part.size * _SLOT_US + part.unread_rows() * _READ_US for part in view.parts) + leaf.limit * _HIT_US


def _pairs(
    part: Part, leaf: Ordered, found: SlotSet | None, allowance: Allowance
) -> Iterator[tuple[int, NDArray[Any], NDArray[np.integer]]]:
    """A part's values as columns have them, or where none does as payloads do; ahead, the slot where slots begin."""
    at = 0
    for block in part.column_blocks():
        column = block.columns.find(leaf.by)
        if column is None or not column[1]:
            yield 0, *_read(part, leaf, found, block.start, block.stop, allowance)
        else:
            for values, slots in column[0].ordered(leaf.data_type):
                yield block.start, values, slots
        at = block.stop
    yield 0, *_read(part, leaf, found, at, part.size, allowance)


def _read(part: Part, leaf: Ordered, found: SlotSet | None, start: int, stop: int, allowance: Allowance) -> Pairs:
    read: list[tuple[int | float, int]] = []
    for slot in slots_within(found, start, stop):
        allowance.spend(_READ_US)
        for element in elements_at(decode_payload(part.payload_at(slot)), leaf.by):
            value = _value(element, leaf.data_type)
            if value is not None:
                read.append((value, slot))
    read.sort()
    kind = np.float64 if leaf.data_type == "float" else np.int64
    return np.array([value for value, _ in read], kind), np.array([slot for _, slot in read], np.int64)


def _value(element: object, data_type: str) -> int | float | None:
    if data_type == "datetime":
        return parse_datetime(element) if isinstance(element, str) else None
    if isinstance(element, int) and not isinstance(element, bool):
        return element if -_INT64 <= element < _INT64 else float(element) if data_type == "float" else None
    return element if isinstance(element, float) and data_type == "float" else None


def _first_passing(
    leaf: Ordered, found: SlotSet | None, first_slot: int, values: NDArray[Any], slots: NDArray[np.integer]
) -> Pairs:
    """As many as are wanted, and equal ones; looks at four times as many each time, to the end of the last value."""
    start, stop = 0, len(values)
    if leaf.start_from is not None and leaf.descending:
        stop = _place(values, leaf.start_from, "right")
    elif leaf.start_from is not None:
        start = _place(values, leaf.start_from, "left")
    window = _LEAST_WINDOW + _WIDER * leaf.limit
    while True:
        low, high = start, stop
        if leaf.descending and stop - window > start:
            low = _place(values, values[stop - window], "left")
        elif not leaf.descending and start + window < stop:
            high = _place(values, values[start + window - 1], "right")
        low, high = max(low, start), min(high, stop)
        passing = _passing(found, values[low:high], slots[low:high].astype(np.int64) + first_slot)
        if len(passing[0]) >= leaf.limit or (low, high) == (start, stop):
            return _first(leaf, *passing)
        window *= _WIDER


def _passing(found: SlotSet | None, values: NDArray[Any], slots: NDArray[np.int64]) -> Pairs:
    # A point that has a value twice is found once; both stand side by side.
    kept = np.ones(len(slots), np.bool_)
    kept[1:] = (values[1:] != values[:-1]) | (slots[1:] != slots[:-1])
    if found is not None:
        kept &= found.has(slots)
    return values[kept], slots[kept]


def _first(leaf: Ordered, values: NDArray[Any], slots: NDArray[np.integer]) -> Pairs:
    """As many as are wanted, and those whose value equals the last one's."""
    if len(values) <= leaf.limit:
        return values, slots
    last: float = values[-leaf.limit if leaf.descending else leaf.limit - 1]
    if leaf.descending:
        start = int(np.searchsorted(values, last, side="left"))
        return values[start:], slots[start:]
    stop = int(np.searchsorted(values, last, side="right"))
    return values[:stop], slots[:stop]


def _place(values: NDArray[Any], value: Any, side: Literal["left", "right"]) -> int:
    return int(cast("np.intp", np.searchsorted(values, value, side=side)))
