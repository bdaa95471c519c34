"""The filter model: what is left of Qdrant's filter JSON once it is known to be well formed.

Everything is frozen and hashable. Spellings that mean the same are one here: a lone condition is a list of one, and
``{"is_empty": {"key": k}}`` is a field condition on k.

Dataclasses would take 11 ms of each start to define, and one nine times as long to make.
"""

import msgspec

from schemas.ids import PointId
from schemas.json_path import Path
from schemas.payload_index import TextIndex


class MatchKeyword(msgspec.Struct, frozen=True):
    """The string ``value``, exactly."""

    value: str


class MatchInteger(msgspec.Struct, frozen=True):
    """A number of this value, 1.0 as well as 1; not a boolean."""

    value: int


class MatchBool(msgspec.Struct, frozen=True):
    """The boolean ``value``."""

    value: bool


class MatchAny(msgspec.Struct, frozen=True):
    """One of ``values``: all strings, or all integers, which a float may equal."""

    values: frozenset[str | int]


class MatchExcept(msgspec.Struct, frozen=True):
    """A value other than null that is none of ``values``: all strings or all integers."""

    values: frozenset[str | int]


class MatchText(msgspec.Struct, frozen=True):
    """A string that ``text`` is a part of, case and all."""

    text: str


class MatchTextAny(msgspec.Struct, frozen=True):
    """A string that one of the words of ``text``, split at white space, is a part of, case and all."""

    text: str


class MatchPhrase(msgspec.Struct, frozen=True):
    """A string that ``phrase`` is a part of, case and all."""

    phrase: str


class MatchPrefix(msgspec.Struct, frozen=True):
    """A string that starts with ``prefix``, case and all."""

    prefix: str


class Range(msgspec.Struct, frozen=True):
    """A number (not a boolean), compared by value, integers exactly; None is no bound."""

    lt: int | float | None = None
    lte: int | float | None = None
    gt: int | float | None = None
    gte: int | float | None = None


class DatetimeRange(msgspec.Struct, frozen=True):
    """A string that is a datetime, compared in microseconds since 1970 (``schemas.datetimes``); None is no bound."""

    lt: int | None = None
    lte: int | None = None
    gt: int | None = None
    gte: int | None = None


class GeoPoint(msgspec.Struct, frozen=True):
    """Degrees: ``lon`` in [-180, 180], ``lat`` in [-90, 90]."""

    lon: float
    lat: float


class GeoBoundingBox(msgspec.Struct, frozen=True):
    """A point inside the box, edges excluded; with ``top_left`` east of ``bottom_right`` it crosses the date line."""

    top_left: GeoPoint
    bottom_right: GeoPoint


class GeoRadius(msgspec.Struct, frozen=True):
    """A point nearer to ``center`` than ``radius`` metres."""

    center: GeoPoint
    radius: float


class GeoPolygon(msgspec.Struct, frozen=True):
    """A point inside ``exterior`` and outside all ``interiors``, edges excluded. Rings end where they began."""

    exterior: tuple[GeoPoint, ...]
    interiors: tuple[tuple[GeoPoint, ...], ...] = ()


class ValuesCount(msgspec.Struct, frozen=True):
    """How many values: the length of an array, 0 for null or nothing, 1 for anything else."""

    lt: int | None = None
    lte: int | None = None
    gt: int | None = None
    gte: int | None = None


class IsEmpty(msgspec.Struct, frozen=True):
    """Whether every value is null or ``[]``, or there is none; ``expected`` is the answer that matches."""

    expected: bool = True


class IsNull(msgspec.Struct, frozen=True):
    """Whether some value is null, or an array that holds a null; ``expected`` is the answer that matches."""

    expected: bool = True


class MatchUuid(msgspec.Struct, frozen=True):
    """A string that spells one of ``uuids`` (as integers), or is one of ``texts``; with ``excluded`` a value that
    is neither, null not being one.

    What a match means on a field with a uuid index. ``texts`` are those looked for that are no UUIDs.
    """

    uuids: frozenset[int]
    texts: frozenset[str | int]
    excluded: bool = False


class HasTokens(msgspec.Struct, frozen=True):
    """The field's strings together have all of ``tokens``, or any of them; none are not had.

    What a text test means on a field with a text index, whose settings are ``index``.
    """

    index: TextIndex
    tokens: frozenset[str]
    all: bool = True


class HasPhrase(msgspec.Struct, frozen=True):
    """One of the field's strings has ``tokens`` one after another, on a field with a text index ``index``."""

    index: TextIndex
    tokens: tuple[str, ...]


class IsOfType(msgspec.Struct, frozen=True):
    """A value that an index of this type is about. No filter asks for it: collection infos count by it."""

    data_type: str


ElementTest = (
    MatchKeyword
    | MatchInteger
    | MatchBool
    | MatchAny
    | MatchExcept
    | MatchText
    | MatchTextAny
    | MatchPhrase
    | MatchPrefix
    | Range
    | DatetimeRange
    | GeoBoundingBox
    | GeoRadius
    | GeoPolygon
    | MatchUuid
    | HasPhrase
    | IsOfType
)
"""A test that a field passes when one of its elements does (``json_path.elements_at``)."""

ValuesTest = ValuesCount | IsEmpty | IsNull | HasTokens
"""A test of all of a field's values (``json_path.values_at``)."""

FieldTest = ElementTest | ValuesTest


class FieldCondition(msgspec.Struct, frozen=True):
    """The field at ``key`` passes at least one of ``tests``. Nearly always there is one; Qdrant, too, joins with or."""

    key: Path
    tests: tuple[FieldTest, ...]


class HasId(msgspec.Struct, frozen=True):
    """The point is one of ``ids``."""

    ids: frozenset[PointId]


class HasVector(msgspec.Struct, frozen=True):
    """The point has a vector of this name; "" is the unnamed one."""

    name: str


class Slice(msgspec.Struct, frozen=True):
    """The point falls into slice ``index`` of ``total`` (``schemas.siphash``)."""

    index: int
    total: int


class Nested(msgspec.Struct, frozen=True):
    """One object in the array at ``key`` matches ``filter`` by itself. ``key`` ends with ``[]``."""

    key: Path
    filter: "Filter"


class MinShould(msgspec.Struct, frozen=True):
    """At least ``min_count`` of ``conditions`` match."""

    conditions: tuple["Condition", ...]
    min_count: int


class Filter(msgspec.Struct, frozen=True):
    """All of ``must``, none of ``must_not``, one of ``should`` unless that is empty, and ``min_should``."""

    must: tuple["Condition", ...] = ()
    should: tuple["Condition", ...] = ()
    must_not: tuple["Condition", ...] = ()
    min_should: MinShould | None = None


Condition = FieldCondition | HasId | HasVector | Slice | Nested | Filter
