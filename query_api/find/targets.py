"""Where the nearest of one vector name are sought: parts of a view that have such vectors, and what may be found."""

from collections.abc import Callable, Sequence
from functools import cached_property
from weakref import WeakKeyDictionary

from projector.segments.graph import Graph
from projector.view.shard_view import ShardView
from query_api.find.division import Division
from query_api.find.selection import Findable
from query_api.find.target import Target
from query_api.hits import first_place
from query_api.plan.leaves import QuantizedSearch
from schemas.filters import Filter

REMEMBERED_DIVISIONS = 8
"""For each name of a view: as a rule clients ask for as many each time, at the same ef."""

DivisionKey = tuple[int, int | None, bool, bool, QuantizedSearch]
"""What a leaf has that decides how parts are searched: how many are wanted, ef, exact, indexed_only, quantization."""


class Targets:
    """All of one view, for one name and one filter."""

    def __init__(self, view: ShardView, name: str, filter: Filter | None) -> None:
        there = view.holding(name)
        self.all: Sequence[Target] = [
            Target(held.part, first_place(held.number), held.vectors, found, held.part.graph(name))
            for held in there
            if (found := Findable(held.part, held.vectors, filter)).count
        ]
        self.with_graph: Sequence[tuple[Target, Graph]] = [
            (target, target.graph) for target in self.all if target.graph is not None
        ]
        self.rows_in_segments = sum(held.vectors.rows for held in there if held.number < len(view.segments))
        """How many vectors of the name segments have, those of dead points included."""
        self.parts = len(there)
        """How many parts have such vectors, where none may be found, too."""
        self._divisions: dict[DivisionKey, Division] = {}

    @cached_property
    def without_graph(self) -> Sequence[Target]:
        """Those of parts that have no graph."""
        return [target for target in self.all if target.graph is None]

    def divided(self, key: DivisionKey, divide: Callable[[], Division]) -> Division:
        """What ``divide`` makes of them; the last few are remembered."""
        known = self._divisions.get(key)
        if known is None:
            known = divide()
            if len(self._divisions) >= REMEMBERED_DIVISIONS:
                # Another thread may have left out the same.
                self._divisions.pop(next(iter(self._divisions)), None)
            self._divisions[key] = known
        return known


_unfiltered: WeakKeyDictionary[ShardView, dict[str, Targets]] = WeakKeyDictionary()


def targets_of(view: ShardView, name: str, filter: Filter | None) -> Targets:
    """Those of a view. Without a filter they are remembered for as long as the view lives."""
    if filter is not None:
        return Targets(view, name, filter)
    known = _unfiltered.get(view)
    if known is None:
        known = _unfiltered[view] = {}
    targets = known.get(name)
    if targets is None:
        targets = known[name] = Targets(view, name, None)
    return targets
