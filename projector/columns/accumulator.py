"""What one payload key path has at every slot, collected while payloads stream by."""

from projector.columns.bools import BoolAccumulator
from projector.columns.datetimes import DatetimeAccumulator
from projector.columns.geo import GeoAccumulator
from projector.columns.keywords import KeywordAccumulator
from projector.columns.numbers import NumberAccumulator
from projector.columns.presence import PresenceAccumulator
from projector.columns.sections import Sections
from projector.columns.texts import TextAccumulator
from projector.columns.uuids import UuidAccumulator
from schemas.json_path import JsonValue
from schemas.payload_index import GeoIndex, IndexParams, TextIndex, UuidIndex

JsonItem = str | int | float | bool | None | list["JsonItem"] | dict[str, "JsonItem"]


class ColumnAccumulator:
    """Flat arrays of one path's values. Slots come in ascending order, a slot's values one after another.

    Every column has presence, keywords, datetimes, numbers and bools; a declared index of geo points, UUIDs or texts
    adds a structure of its own.
    """

    def __init__(self, index: IndexParams | None = None) -> None:
        self.index = index
        """What is declared."""
        self._presence = PresenceAccumulator()
        self._bools = BoolAccumulator()
        self._numbers = NumberAccumulator()
        self._strings: list[KeywordAccumulator | DatetimeAccumulator | UuidAccumulator | TextAccumulator] = [
            KeywordAccumulator(),
            DatetimeAccumulator(),
        ]
        if isinstance(index, TextIndex):
            self._strings.append(TextAccumulator(index))
        elif isinstance(index, UuidIndex):
            self._strings.append(UuidAccumulator())
        self._geo = GeoAccumulator() if isinstance(index, GeoIndex) else None

    @property
    def points(self) -> int:
        """How many slots have a value other than null and ``[]``."""
        return self._presence.points

    def add_bare(self, value: JsonItem, slot: int) -> None:
        """The path leads to a value that is no array."""
        self._presence.add_bare(slot, is_null=value is None)
        self._add(value, slot)

    def add_array(self, values: list[JsonItem], slot: int) -> None:
        """The path leads to an array."""
        self._presence.add_array(len(values), slot)
        for value in values:
            self._add(value, slot)

    def _add(self, value: JsonItem, slot: int) -> None:
        if isinstance(value, str):
            for kind in self._strings:
                kind.add(value, slot)
        elif isinstance(value, bool):
            self._bools.add(value, slot)
        elif isinstance(value, int | float):
            self._numbers.add(value, slot)
        elif value is None:
            self._presence.add_null(slot)
        else:
            self._presence.add_other(slot, is_array=isinstance(value, list))
            if self._geo is not None:
                geo: JsonValue = value
                self._geo.add(geo, slot)

    def finish(self, size: int) -> Sections:
        """The column's sections, of ``size`` slots, none that would be empty. Raises HashCollisionError."""
        sections: Sections = {}
        for kind in (self._presence, self._bools, self._numbers, *self._strings):
            sections.update(kind.finish(size))
        if self._geo is not None:
            sections.update(self._geo.finish(size))
        return sections
