"""Filters over parts: which slots, or which rows of a vector file, may be found."""

from collections.abc import Container, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from projector.columns.selection import Selection
from projector.columns.slot_set import SlotSet
from projector.kernel import KernelPassing
from projector.segments.repeats import Repeats
from projector.view.part import Part, Vectors, alive, dead_rows, has_few_dead, row_of
from schemas.filters import Filter
from schemas.ids import PointId
from schemas.matching import bind, matches
from schemas.validation import decode_payload

REMEMBERED_FILTERS = 4
"""How many filters' answers each part keeps: clients repeat filters, and planning asks before searching does."""


class Selected:
    """What one filter, as it is meant, selects among rows whose points die: asked for anew with every view of them.

    It must hold neither a part nor its rows: these are what keeps it from being forgotten.
    """

    def __init__(self, meant: Filter, names: Sequence[str], selection: Selection) -> None:
        """``names``: the vector names of the view, as these may come and go."""
        self.meant = meant
        self.names = names
        self._selection = selection
        self._resolved: tuple[int, SlotSet] | None = None

    def undecided(self, offset: int) -> int:
        """For how many slots, dead ones included, the reference evaluator has yet to decide in a view at ``offset``."""
        return 0 if self._known_at(offset) is not None else len(self._selection.undecided)

    def passing(self, part: Part) -> SlotSet:
        """The alive slots of one view that pass."""
        known = self._known_at(part.offset)
        if known is None:
            known = self._selection.resolve(
                lambda slot: matches(self.meant, _SlotCandidate(part, slot)), lambda slots: alive(part, slots)
            )
            self._resolved = part.offset, known
            return known
        return alive(part, known)

    def _known_at(self, offset: int) -> SlotSet | None:
        """What passes among what is alive at ``offset``, and maybe more: the dead were not asked about."""
        if self._selection.exact:
            return self._selection.sure
        resolved = self._resolved
        return None if resolved is None or resolved[0] > offset else resolved[1]


class Passing:
    """What passes one filter in one part."""

    def __init__(self, filter: Filter, selected: Selected) -> None:
        self.filter = filter
        self._selected = selected
        self._found: SlotSet | None = None
        self._rows: tuple[NDArray[np.uint32], SlotSet] | None = None
        self._standing: tuple[SlotSet, Repeats, NDArray[np.bool_]] | None = None
        self._kept: tuple[SlotSet, KernelPassing] | None = None

    def undecided(self, part: Part) -> int:
        """For how many slots, dead ones included, the reference evaluator has yet to decide."""
        return 0 if self._found is not None else self._selected.undecided(part.offset)

    def found(self, part: Part) -> SlotSet:
        """The alive slots that pass."""
        if self._found is None:
            self._found = self._selected.passing(part)
        return self._found

    def rows(self, part: Part, slots: NDArray[np.uint32] | None) -> SlotSet:
        """Where vectors are those of ``slots``, None for all, the rows whose points pass."""
        if slots is None:
            return self.found(part)
        known = self._rows
        if known is None or known[0] is not slots:
            known = self._rows = slots, self.found(part).at(slots)
        return known[1]

    def standing(self, rows: SlotSet, repeats: Repeats) -> NDArray[np.bool_]:
        """Which rows of a graph with ``repeats`` stand for any of ``rows``, which ``rows`` gave."""
        known = self._standing
        if known is None or known[0] is not rows or known[1] is not repeats:
            known = self._standing = rows, repeats, repeats.stand_ins(rows.mask())
        return known[2]

    def kept(self, rows: SlotSet) -> KernelPassing:
        """The same ``rows`` as the kernel takes them beside what stands for them."""
        known = self._kept
        if known is None or known[0] is not rows:
            known = self._kept = rows, KernelPassing(rows.mask())
        return known[1]


_remembered: WeakKeyDictionary[Part, tuple[Passing, ...]] = WeakKeyDictionary()
_selected: WeakKeyDictionary[object, tuple[Selected, ...]] = WeakKeyDictionary()


def passing(part: Part, filter: Filter) -> Passing:
    """What passes ``filter`` in ``part``. The last few answers are remembered for as long as the part lives.

    What columns and evaluator said is remembered for as long as the part's rows do.
    """
    answer = remembered(part, filter)
    if answer is not None:
        return answer
    answer = Passing(filter, _select(part, bind(filter, part.indexes)))
    _remembered[part] = (answer, *_remembered.get(part, ())[: REMEMBERED_FILTERS - 1])
    return answer


def remembered(part: Part, filter: Filter) -> Passing | None:
    """What ``passing`` has at hand."""
    for answer in _remembered.get(part, ()):
        if answer.filter is filter:
            return answer
        if answer.filter == filter:
            # The same request asks again, and need not compare them again.
            answer.filter = filter
            return answer
    return None


def _select(part: Part, meant: Filter) -> Selected:
    rows, names = part.rows, list(part.vector_names)
    known = _selected.get(rows, ())
    for selected in known:
        if selected.names == names and selected.meant == meant:
            return selected
    selected = Selected(meant, names, part.select(meant))
    _selected[rows] = (selected, *known[: REMEMBERED_FILTERS - 1])
    return selected


def is_at_hand(part: Part, filter: Filter) -> bool:
    """Whether what passes this very filter is known, and nothing is left to be looked up, compared or evaluated."""
    known = _remembered.get(part, ())
    return any(answer.filter is filter and answer.undecided(part) == 0 for answer in known)


def passing_slots(part: Part, filter: Filter | None) -> SlotSet | None:
    """The alive slots that pass; None when all slots do."""
    if filter is not None:
        return passing(part, filter).found(part)
    return None if part.alive_count == part.size else SlotSet.of_mask(part.alive_mask())


def slots_within(found: SlotSet | None, start: int, stop: int) -> Sequence[int]:
    """Those of ``found``, None for all, from ``start`` up to ``stop``."""
    if found is None:
        return range(start, stop)
    slots = found.slots()
    first, last = slots.searchsorted((start, stop))
    within: list[int] = slots[first:last].tolist()
    return within


class Findable:
    """Which rows of a part's vectors may be found: those whose points are alive and pass the filter."""

    def __init__(self, part: Part, vectors: Vectors, filter: Filter | None) -> None:
        self._part = part
        self._vectors = vectors
        self._passing = None if filter is None else passing(part, filter)
        self._found: SlotSet | None = None
        self._kept: KernelPassing | None = None
        self.rows = vectors.rows
        self.filtered = filter is not None
        self.everything = filter is None and part.alive_count == part.size
        """Whether that is all of them."""
        if self.everything:
            self.count = self.rows
        elif self._passing is None and (vectors.slots is None or has_few_dead(part)):
            self.count = self.rows - dead_rows(part, vectors) if vectors.slots is not None else part.alive_count
        else:
            self.count = len(self.found())

    def found(self) -> SlotSet:
        """The rows, among ``rows`` of them."""
        if self._found is None:
            part, slots = self._part, self._vectors.slots
            if self._passing is not None:
                self._found = self._passing.rows(part, slots)
            else:
                alive = SlotSet.of_mask(part.alive_mask())
                self._found = alive if slots is None else alive.at(slots)
        return self._found

    def chosen(self) -> NDArray[Any] | None:
        """The rows as the kernel takes them: a list, ascending, where they are few, else a mask; None for all."""
        if self.everything:
            return None
        found = self.found()
        return found.slots() if found.is_list else found.mask()

    def allowed(self, repeats: Repeats) -> NDArray[np.bool_] | None:
        """Which rows of a graph with ``repeats`` a walk may find; None without a filter."""
        return None if self._passing is None else self._passing.standing(self.found(), repeats)

    def passing_rows(self) -> NDArray[np.int64]:
        """The rows that may be found, ascending; not to be written to."""
        return self.found().slots()

    def kept(self, repeats: Repeats) -> KernelPassing | None:
        """Of what such a walk finds, and of the repeats of that, what may be found; None for all.

        Without a filter this computes no whole mask.
        """
        if self._passing is not None:
            # Without repeats each row stands for itself alone.
            return self._passing.kept(self.found()) if len(repeats.rows) else None
        if self._kept is None and not self.everything:
            part = self._part
            self._kept = KernelPassing(part.dead_at, max(part.offset, 0), self._vectors.slots)
        return self._kept


class _SlotCandidate:
    """A point in a part as the reference evaluator sees it; reads only what the filter asks for."""

    def __init__(self, part: Part, slot: int) -> None:
        self._part = part
        self._slot = slot
        self._payload: dict[str, Any] | None = None

    @property
    def id(self) -> PointId:
        """The point's id."""
        return self._part.id_at(self._slot)

    @property
    def payload(self) -> dict[str, Any]:
        """The payload, decoded once."""
        if self._payload is None:
            self._payload = decode_payload(self._part.payload_at(self._slot))
        return self._payload

    @property
    def vector_names(self) -> Container[str]:
        """The names of the vectors that the point has."""
        return _VectorNames(self._part, self._slot)


class _VectorNames:
    def __init__(self, part: Part, slot: int) -> None:
        self._part = part
        self._slot = slot

    def __contains__(self, name: object) -> bool:
        vectors = self._part.vectors(name) if isinstance(name, str) else None
        return vectors is not None and row_of(vectors, self._slot) >= 0
