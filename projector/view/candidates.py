"""Which points of a view a filter may match, for who evaluates it on the points themselves."""

from projector.view.part import alive
from projector.view.shard_view import ShardView
from schemas.filters import Filter
from schemas.ids import PointId
from schemas.matching import EVALUATOR_VERSION, bind

_WORTHWHILE = 4
"""Of one point in so many or more, going through all in order takes hardly longer than looking each up."""
_MOST = 1 << 20
"""Ids take 50 bytes each."""


def candidates(view: ShardView, filter: Filter) -> list[PointId] | None:
    """The ids, ascending, of the points that may match, and maybe of others; None where that is no help.

    Columns that were built under another evaluator are not asked: what is decided by these must not depend on them.
    May be run on any thread.
    """
    if any(part.columns.evaluator != EVALUATOR_VERSION for part in view.segments):
        return None
    meant = bind(filter, view.config.payload_indexes)
    left = min(view.count // _WORTHWHILE, _MOST)
    found: list[PointId] = []
    for part in view.parts:
        slots = alive(part, part.select(meant).possible).slots()
        left -= len(slots)
        if left < 0:
            return None
        found += part.ids_at(slots)
    found.sort()
    return found
