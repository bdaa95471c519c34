"""Column: the reader of one payload key path, and what each test selects in it.

Every element is of one type, so a test selects what it selects among the values of each type, put together. A type is
a module with an accumulator and a reader, whose ``select`` says what passes among its values and whose ``tests`` which
tests these may pass at all.
"""

from collections import Counter
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from projector.columns.bools import Bools
from projector.columns.damage import tells_damage
from projector.columns.datetimes import Datetimes
from projector.columns.geo import Geo
from projector.columns.keywords import Keywords
from projector.columns.meta import ColumnMeta, structure
from projector.columns.numbers import Numbers
from projector.columns.presence import Presence
from projector.columns.sections import SectionSource
from projector.columns.selection import Selection, all_of, any_of, at_most, known
from projector.columns.slot_set import SlotSet
from projector.columns.texts import Texts
from projector.columns.uuids import Uuids
from schemas.filters import (
    ElementTest,
    GeoBoundingBox,
    GeoPolygon,
    GeoRadius,
    HasPhrase,
    HasTokens,
    IsOfType,
    MatchAny,
    MatchExcept,
    MatchUuid,
    ValuesTest,
)
from schemas.matching import element_passes
from schemas.payload_index import GeoIndex, UuidIndex
from schemas.text import analyzer


class Kind(Protocol):
    """The reader of one type's values."""

    @property
    def tests(self) -> tuple[type[ElementTest], ...]:
        """Which tests they may pass."""
        ...

    def select(self, test: Any) -> Selection:
        """The slots where one of them passes."""
        ...


class Column:
    """One path's values at the slots of a segment of ``size`` slots."""

    def __init__(self, source: SectionSource, size: int, meta: ColumnMeta | None) -> None:
        """``meta``: None for a path that leads to nothing."""
        self.source = source
        self._size = size
        self._structure = None if meta is None else structure(meta.index)
        self.presence = Presence(source, size, counted=meta is None or meta.counted)

    @tells_damage
    def select_element(self, test: ElementTest) -> Selection:
        """The slots where one of the path's elements passes."""
        return any_of(self._by_type(test), self._size)

    @tells_damage
    def select_values(self, test: ValuesTest) -> Selection:
        """The slots where all of the path's values together pass."""
        if not isinstance(test, HasTokens):
            return self.presence.select(test)
        if self._structure == structure(test.index):
            return self.texts.select(test)
        tokens = analyzer(test.index).tokens
        having = (self.keywords.where(lambda text, t=token: t in tokens(text), parsed=True) for token in test.tokens)
        if not test.tokens:
            return known(SlotSet.nothing(self._size))
        return all_of(having, self._size) if test.all else any_of(having, self._size)

    @tells_damage
    def ordered(self, data_type: str) -> list[tuple[NDArray[Any], NDArray[np.uint32]]]:
        """The values of an ordered type, "integer", "float" or "datetime" (in microseconds), and their slots.

        Each pair is ascending by value; a slot stands there once for each of its values.
        """
        return [self.datetimes.ordered()] if data_type == "datetime" else self.numbers.ordered(data_type)

    @tells_damage
    def counts(self, data_type: str, among: SlotSet | None) -> Counter[Any] | None:
        """How many of the slots ``among`` have each value of a type; None where that is not in the column."""
        match data_type:
            case "keyword":
                return self.keywords.counts(among)
            case "integer":
                return self.numbers.counts(among)
            case "bool":
                return self.bools.counts(among)
            case "uuid" if isinstance(self._structure, UuidIndex):
                return self.uuids.counts(among)
            case _:
                return None

    @tells_damage
    def values_at(self, slots: NDArray[np.int64]) -> list[str | int | None] | None:
        """The one string or integer that each of some slots has at the path, None for none.

        None where that is not in the column: where some slot has several, whose order it doesn't keep, or few have any.
        """
        numbers, texts = self.numbers.at(slots), self.keywords.at(slots)
        if numbers is None or texts is None:
            return None
        pairs = list(zip(numbers, texts, strict=True))
        if any(number is not None and text is not None for number, text in pairs):
            return None
        return [text if number is None else number for number, text in pairs]

    def _by_type(self, test: ElementTest) -> list[Selection]:
        match test:
            case GeoBoundingBox() | GeoRadius() | GeoPolygon():
                return [self._geo_or_any(test)]
            case MatchUuid():
                return self._uuid(test)
            case HasPhrase():
                own = self.texts.select(test) if self._structure == structure(test.index) else None
                return [own or self.keywords.where(lambda text: element_passes(test, text), parsed=True)]
            case IsOfType(data_type="geo"):
                return [self._geo_or_any(test)]
            case IsOfType(data_type="uuid"):
                return [self._uuids_or_any(test)]
            case _:
                kinds: list[Kind] = [self.keywords, self.numbers, self.bools, self.datetimes]
                found = [kind.select(test) for kind in kinds if isinstance(test, kind.tests)]
                return [*found, known(self.presence.others())] if isinstance(test, MatchExcept) else found

    def _geo_or_any(self, test: ElementTest) -> Selection:
        return self.geo.select(test) if isinstance(self._structure, GeoIndex) else at_most(self.presence.others())

    def _uuids_or_any(self, test: ElementTest) -> Selection:
        if isinstance(self._structure, UuidIndex):
            return self.uuids.select(test)
        return self.keywords.where(lambda text: element_passes(test, text), parsed=True)

    def _uuid(self, test: MatchUuid) -> list[Selection]:
        if not test.excluded:
            return [self._uuids_or_any(test), *self._by_type(MatchAny(test.texts))]
        strings = self.keywords.where(lambda text: element_passes(test, text), parsed=True)
        other = MatchExcept(test.texts)
        return [strings, self.numbers.select(other), self.bools.select(other), known(self.presence.others())]

    @cached_property
    def keywords(self) -> Keywords:
        """Its strings."""
        return Keywords(self.source, self._size)

    @cached_property
    def numbers(self) -> Numbers:
        """Its numbers."""
        return Numbers(self.source, self._size)

    @cached_property
    def bools(self) -> Bools:
        """Its booleans."""
        return Bools(self.source, self._size)

    @cached_property
    def datetimes(self) -> Datetimes:
        """Its datetimes."""
        return Datetimes(self.source, self._size)

    @cached_property
    def uuids(self) -> Uuids:
        """Its UUIDs, with an index of them."""
        return Uuids(self.source, self._size)

    @cached_property
    def geo(self) -> Geo:
        """Its geo points, with an index of them."""
        return Geo(self.source, self._size)

    @cached_property
    def texts(self) -> Texts:
        """Its tokens, with an index of texts."""
        return Texts(self.source, self._size)
