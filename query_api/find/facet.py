"""Counting the values of a payload key."""

from collections import Counter

from projector.columns.columns import Block
from projector.columns.slot_set import SlotSet
from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.kinds import filter_us
from query_api.find.selection import passing_slots, slots_within
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
        found = passing_slots(part, facet.filter)
        at = 0
        for block in part.column_blocks():
            counted = _in_column(block, facet, found)
            if counted is None:
                _read(part, facet, found, block.start, block.stop, counts, allowance)
            elif counts:
                counts.update(counted)
            else:
                counts = counted
            at = block.stop
        _read(part, facet, found, at, part.size, counts, allowance)
    return counts


def _in_column(block: Block, facet: Facet, found: SlotSet | None) -> Counter[FacetValue] | None:
    """What a column says of the points of a block; None where no column has such values of the path."""
    column = block.columns.find(facet.by)
    if column is None or not column[1]:
        return None
    return column[0].counts(facet.data_type, None if found is None else found.part(block.start, block.stop))


def facet_us(view: ShardView, facet: Facet) -> float:
    """How long that takes, in microseconds."""
    spent = sum(part.size * _SLOT_US + part.unread_rows() * _READ_US for part in view.parts)
    return spent + filter_us(view, facet.filter)


def _read(
    part: Part,
    facet: Facet,
    found: SlotSet | None,
    start: int,
    stop: int,
    counts: Counter[FacetValue],
    allowance: Allowance,
) -> None:
    for slot in slots_within(found, start, stop):
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
