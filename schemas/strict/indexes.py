"""Which payload indexes serve which tests of a filter."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from schemas.filters import (
    Condition,
    DatetimeRange,
    FieldCondition,
    FieldTest,
    Filter,
    GeoBoundingBox,
    GeoPolygon,
    GeoRadius,
    MatchAny,
    MatchBool,
    MatchExcept,
    MatchInteger,
    MatchKeyword,
    MatchPhrase,
    MatchPrefix,
    MatchText,
    MatchTextAny,
    Nested,
    Range,
)
from schemas.filters.weight import conditions_of
from schemas.json_path import Path
from schemas.matching.uuids import uuid_of
from schemas.payload_index import (
    BoolIndex,
    DatetimeIndex,
    FloatIndex,
    GeoIndex,
    IndexParams,
    IntegerIndex,
    KeywordIndex,
    PayloadIndexes,
    TextIndex,
    UuidIndex,
)
from schemas.strict.refusals import refused


@dataclass(frozen=True, slots=True)
class Need:
    """A kind of index, as messages call it, and whether a declared one is of it."""

    shown: str
    is_met: Callable[[IndexParams], bool]


BOOL = Need("bool", lambda index: isinstance(index, BoolIndex))
DATETIME = Need("datetime", lambda index: isinstance(index, DatetimeIndex))
FLOAT = Need("float", lambda index: isinstance(index, FloatIndex))
GEO = Need("geo", lambda index: isinstance(index, GeoIndex))
INTEGER_LOOKUP = Need("integer", lambda index: isinstance(index, IntegerIndex) and index.lookup is not False)
INTEGER_RANGE = Need("integer", lambda index: isinstance(index, IntegerIndex) and index.range is not False)
KEYWORD = Need("keyword", lambda index: isinstance(index, KeywordIndex))
PREFIX = Need("keyword (with prefix: true)", lambda index: isinstance(index, KeywordIndex) and bool(index.prefix))
TEXT = Need("text", lambda index: isinstance(index, TextIndex))
PHRASE = Need(
    "text (with phrase_matching: true)", lambda index: isinstance(index, TextIndex) and bool(index.phrase_matching)
)
UUID = Need("uuid", lambda index: isinstance(index, UuidIndex))

NUMBERS = (FLOAT, INTEGER_RANGE)
MATCHED = (BOOL, INTEGER_LOOKUP, KEYWORD, UUID)
_ANY = (BOOL, DATETIME, FLOAT, GEO, INTEGER_LOOKUP, KEYWORD, PREFIX, TEXT, PHRASE, UUID)


def check_indexed(indexes: PayloadIndexes, filter: Filter, instead: str = "filter") -> None:
    """Raise BadInputError for a condition of ``filter`` that no declared index serves."""
    for key, test in _tests(filter, ""):
        check_index(indexes, key, _needs(test), instead)


def check_index(indexes: PayloadIndexes, key: str, needs: tuple[Need, ...], instead: str) -> None:
    """Raise BadInputError when none of ``needs`` is met by the key's index; no needs always are."""
    if not needs or is_indexed(indexes, key, needs):
        return
    types = ", ".join(need.shown for need in needs)
    raise refused(
        f'Index required but not found for "{key}" of one of the following types: [{types}]',
        f"Create an index for this key or use a different {instead}",
    )


def is_indexed(indexes: PayloadIndexes, key: str, needs: tuple[Need, ...]) -> bool:
    """Whether the key has an index of one of some kinds."""
    declared = indexes.get(key)
    return declared is not None and any(need.is_met(declared.params) for need in needs)


def _tests(condition: Condition, within: str) -> Iterator[tuple[str, FieldTest]]:
    """Every test of a payload key, with the whole path of the key."""
    match condition:
        case FieldCondition():
            yield from ((within + str(condition.key), test) for test in condition.tests)
        case Nested():
            yield from _tests(condition.filter, f"{within}{_elements(condition.key)}.")
        case Filter():
            for inner in conditions_of(condition):
                yield from _tests(inner, within)
        case _:
            return


def _elements(key: Path) -> str:
    text = str(key)
    return text if text.endswith("[]") else f"{text}[]"


def _needs(test: FieldTest) -> tuple[Need, ...]:
    match test:
        case MatchKeyword():
            return _keyword_needs(frozenset({test.value}))
        case MatchInteger():
            return (INTEGER_LOOKUP,)
        case MatchBool():
            return (BOOL,)
        case MatchAny() | MatchExcept():
            return _keyword_needs(test.values)
        case MatchText() | MatchTextAny():
            return (TEXT,)
        case MatchPhrase():
            return (PHRASE,)
        case MatchPrefix():
            return (PREFIX,)
        case Range():
            return NUMBERS
        case DatetimeRange():
            return (DATETIME,)
        case GeoBoundingBox() | GeoRadius() | GeoPolygon():
            return (GEO,)
        case _:
            return _ANY


def _keyword_needs(values: frozenset[str | int]) -> tuple[Need, ...]:
    """What the values of a match need: they are all strings or all integers."""
    texts = [value for value in values if isinstance(value, str)]
    if not texts:
        return (INTEGER_LOOKUP,) if values else ()
    return (KEYWORD, UUID) if all(uuid_of(text) is not None for text in texts) else (KEYWORD,)
