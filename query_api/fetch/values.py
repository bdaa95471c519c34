"""What points have at a payload key: from columns where these tell, else from payloads."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.fetch.fetch import PROJECTED_BYTE_US
from query_api.hits import Hit, parts_and_slots
from query_api.points import Values
from schemas.json_path import Path, elements_at
from schemas.validation import decode_payload

VALUE_US = 0.5
"""From a column."""
_READ_US = 8.0


def values_of(view: ShardView, hits: Sequence[Hit], by: Path, allowance: Allowance) -> list[Values]:
    """The strings and integers, booleans left out, that each point has at a path, in the order of ``hits``.

    Raises OverEstimateError, TimedOutError.
    """
    found: list[Values] = [()] * len(hits)
    places = parts_and_slots(hits)
    for number, part in enumerate(view.parts):
        mine = [at for at, (there, _) in enumerate(places) if there == number]
        if mine:
            slots = np.array([places[at][1] for at in mine], np.int64)
            for at, values in zip(mine, _in_part(part, slots, by, allowance), strict=True):
                found[at] = values
    return found


def size(values: Sequence[Values]) -> int:
    """About how many bytes they take."""
    return sum(len(value) if isinstance(value, str) else 8 for some in values for value in some)


def _in_part(part: Part, slots: NDArray[np.int64], by: Path, allowance: Allowance) -> list[Values]:
    found: list[Values | None] = [None] * len(slots)
    for block in part.column_blocks():
        mine = np.flatnonzero((slots >= block.start) & (slots < block.stop))
        column = block.columns.find(by) if len(mine) else None
        if column is None or not column[1]:
            continue
        values = column[0].values_at(slots[mine] - block.start)
        if values is not None:
            for at, value in zip(mine.tolist(), values, strict=True):
                found[at] = () if value is None else (value,)
    numbers: list[int] = slots.tolist()
    return [
        _read(part, slot, by, allowance) if values is None else values
        for slot, values in zip(numbers, found, strict=True)
    ]


def _read(part: Part, slot: int, by: Path, allowance: Allowance) -> Values:
    allowance.spend(_READ_US + part.payload_size_at(slot) * PROJECTED_BYTE_US)
    elements = elements_at(decode_payload(part.payload_at(slot)), by)
    return list(dict.fromkeys(e for e in elements if isinstance(e, str | int) and not isinstance(e, bool)))
