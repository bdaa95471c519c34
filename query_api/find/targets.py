"""Where the nearest of one vector name are sought: parts of a view that have such vectors, and what may be found."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from projector.kernel import KernelScans
from projector.segments.graph import Graph
from projector.view.part import Part, Vectors, slots_of_rows
from projector.view.shard_view import ShardView
from query_api.find.selection import Findable
from query_api.hits import first_place
from schemas.filters import Filter


class Target(NamedTuple):
    """A part's vectors, and which of them may be ``found``: at least one. ``place``: that of the part's first slot."""

    part: Part
    place: int
    vectors: Vectors
    found: Findable
    graph: Graph | None


class Prepared:
    """What threads of the kernel compare of some targets, and about how long one takes, in microseconds."""

    def __init__(self, make: Callable[[], KernelScans], us: float, *, final: bool) -> None:
        """``make``: only called where it comes to that, as masks of what may be found may have to be made.

        ``final``: whether nothing better can be prepared of the same targets later.
        """
        self._make = make
        self._scans: KernelScans | None = None
        self.us = us
        self.final = final

    @property
    def scans(self) -> KernelScans:
        """What is compared."""
        if self._scans is None:
            self._scans = self._make()
        return self._scans


class TargetGroup:
    """Targets that are scanned together: all that may be found in them."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.targets = targets
        self._prepared: dict[bool, Prepared] = {}
        self._first = np.array([target.place for target in targets], np.int64)
        self._rows_are_slots = all(target.vectors.slots is None for target in targets)

    def prepared(self, prepare: Callable[[Sequence[Target]], Prepared], *, coded: bool) -> Prepared:
        """What ``prepare`` makes of the targets, whatever the query, once that is final.

        ``coded``: by search codes, if any.
        """
        known = self._prepared.get(coded)
        if known is None:
            known = prepare(self.targets)
            if known.final:
                self._prepared[coded] = known
        return known

    def places(self, numbers: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where rows are; ``numbers``: of which target each is, ascending."""
        if self._rows_are_slots:
            return self._first[numbers] + rows
        starts = numbers.searchsorted(np.arange(len(self.targets) + 1))
        return np.concatenate(
            [
                slots_of_rows(target.vectors, rows[start:end]) + target.place
                for target, start, end in zip(self.targets, starts[:-1], starts[1:], strict=True)
            ]
        )


class Targets:
    """All of one view, for one name and one filter."""

    def __init__(self, view: ShardView, name: str, filter: Filter | None) -> None:
        there = view.holding(name)
        self.all: Sequence[Target] = [
            Target(held.part, first_place(held.number), held.vectors, found, held.part.graph(name))
            for held in there
            if (found := Findable(held.part, held.vectors, filter)).count
        ]
        self.with_graph: Sequence[Target] = [target for target in self.all if target.graph is not None]
        self.rows_in_segments = sum(held.vectors.rows for held in there if held.number < len(view.segments))
        """How many vectors of the name segments have, those of dead points included."""
        self.parts = len(there)
        """How many parts have such vectors, where none may be found, too."""

    @cached_property
    def everywhere(self) -> TargetGroup:
        """All of them."""
        return TargetGroup(self.all)

    @cached_property
    def without_graph(self) -> TargetGroup:
        """Those of parts that have no graph."""
        return TargetGroup([target for target in self.all if target.graph is None])


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
