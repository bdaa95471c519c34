"""Counting the values of a payload key."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from projector.columns.column import Column
from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.kinds import filter_us
from query_api.find.selection import Mask, passing_mask
from query_api.plan.facet import Facet, FacetValue
from schemas.ids import UUID_BASE, PointId, render_point_id
from schemas.json_path import elements_at
from schemas.matching.uuids import uuid_of
from schemas.validation import decode_payload

_SLOT_US = 0.03
_READ_US = 8.0


def count_values(view: ShardView, facet: Facet, allowance: Allowance) -> Counter[FacetValue]:
    """How many points of a shard have each value, exactly; a point that has a value twice counts once."""
    counts: Counter[FacetValue] = Counter()
    for part in view.parts:
        mask = passing_mask(part, facet.filter)
        at = 0
        for block in part.column_blocks():
            column = block.columns.find(facet.by)
            within = None if mask is None else mask[block.start : block.stop]
            if column is not None and column[1] and facet.data_type in _IN_COLUMNS:
                counts.update(_IN_COLUMNS[facet.data_type](column[0], within))
            else:
                _read(part, facet, mask, block.start, block.stop, counts, allowance)
            at = block.stop
        _read(part, facet, mask, at, part.size, counts, allowance)
    return counts


def facet_us(view: ShardView, facet: Facet) -> float:
    """How long that takes, in microseconds."""
    each = _SLOT_US if facet.data_type in _IN_COLUMNS else _READ_US
    spent = sum(part.size * each + part.unread_rows() * _READ_US for part in view.parts)
    return spent + filter_us(view, facet.filter)


def _keywords(column: Column, mask: Mask | None) -> dict[Any, int]:
    return column.count_keywords(mask)


def _integers(column: Column, mask: Mask | None) -> dict[Any, int]:
    ((values, slots),) = column.ordered("integer")
    kept = np.ones(len(slots), np.bool_)
    kept[1:] = (values[1:] != values[:-1]) | (slots[1:] != slots[:-1])
    if mask is not None:
        kept &= mask[slots]
    found, counts = np.unique(values[kept], return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


_IN_COLUMNS: dict[str, Callable[[Column, Mask | None], dict[Any, int]]] = {
    "keyword": _keywords,
    "integer": _integers,
}
"""Booleans are few, and UUIDs have several spellings: those are read from payloads."""


def _read(
    part: Part,
    facet: Facet,
    mask: Mask | None,
    start: int,
    stop: int,
    counts: Counter[FacetValue],
    allowance: Allowance,
) -> None:
    for slot in range(start, stop):
        if mask is None or mask[slot]:
            allowance.spend(_READ_US)
            elements = elements_at(decode_payload(part.payload_at(slot)), facet.by)
            counts.update({value for element in elements if (value := _value(element, facet.data_type)) is not None})


def _value(element: object, data_type: str) -> FacetValue | None:
    match data_type:
        case "keyword":
            return element if isinstance(element, str) else None
        case "integer":
            return element if type(element) is int and -(1 << 63) <= element < 1 << 63 else None
        case "bool":
            return element if isinstance(element, bool) else None
        case _:
            uuid = uuid_of(element) if isinstance(element, str) else None
            return None if uuid is None else str(render_point_id(PointId(UUID_BASE + uuid)))
