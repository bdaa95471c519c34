"""How much there is to a filter, for estimates of how long evaluating it takes."""

from dataclasses import dataclass

from schemas.filters.model import (
    Condition,
    FieldCondition,
    FieldTest,
    Filter,
    GeoPolygon,
    HasId,
    HasPhrase,
    HasTokens,
    MatchAny,
    MatchExcept,
    MatchPhrase,
    MatchPrefix,
    MatchText,
    MatchTextAny,
    MatchUuid,
    Nested,
)

_CHARACTERS_A_STEP = 4
"""Splitting so many into words takes as long as one edge of a polygon does."""

_LOOK, _PARSED_LOOK = 2, 4
"""Where strings are to be parsed, an eighth as many are looked at."""


@dataclass(frozen=True, slots=True)
class Weight:
    """``tests``: conditions, and tests of those on fields; ``members``: of all lists that something is looked up in.

    ``steps``: what is gone through for each point that is asked about: edges of polygons, texts to be split. ``looks``:
    what is gone through for each string that a column has few of; a step of it takes as long.
    """

    tests: int
    members: int
    steps: int
    looks: int = 0


def weigh(filter: Filter) -> Weight:
    """The weight of a filter, with that of the filters in it. Takes time itself: half a microsecond a condition."""
    tests = members = steps = looks = 0
    waiting: list[Condition] = [filter]
    while waiting:
        condition = waiting.pop()
        match condition:
            case FieldCondition():
                tests += len(condition.tests)
                for test in condition.tests:
                    members += _members(test)
                    steps += _steps(test)
                    looks += _looks(test)
            case HasId():
                tests += 1
                members += len(condition.ids)
            case Nested():
                tests += 1
                waiting.append(condition.filter)
            case Filter():
                waiting += conditions_of(condition)
            case _:
                tests += 1
    return Weight(tests, members, steps, looks)


def conditions_of(filter: Filter) -> tuple[Condition, ...]:
    """The conditions that a filter is made of, whatever part each is in."""
    min_should = () if filter.min_should is None else filter.min_should.conditions
    return filter.must + filter.should + filter.must_not + min_should


def _members(test: FieldTest) -> int:
    if isinstance(test, MatchUuid):
        return len(test.uuids) + len(test.texts)
    return len(test.values) if isinstance(test, MatchAny | MatchExcept) else 0


def _steps(test: FieldTest) -> int:
    match test:
        case MatchText() | MatchTextAny():
            return len(test.text) // _CHARACTERS_A_STEP
        case MatchPhrase():
            return len(test.phrase) // _CHARACTERS_A_STEP
        case HasTokens():
            return len(test.tokens)
        case HasPhrase():
            return len(test.tokens)
        case GeoPolygon():
            return len(test.exterior) + sum(map(len, test.interiors))
        case _:
            return 0


def _looks(test: FieldTest) -> int:
    match test:
        case MatchText() | MatchTextAny() | MatchPhrase() | MatchPrefix():
            return _LOOK + _steps(test)
        case MatchUuid() | HasTokens() | HasPhrase():
            return _PARSED_LOOK * (1 + _steps(test))
        case _:
            return 0
