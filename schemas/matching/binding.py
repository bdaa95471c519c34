"""Binding: a filter as it is meant on a collection with these payload indexes.

A text index turns tests of texts into tests of tokens, a uuid index matches into matches of UUIDs; the other types say
nothing that a filter would not mean without them. The result is a filter like any other, so evaluating it takes no
schema, and it is the same for reads and for operations by filter.
"""

from collections.abc import Iterable, Mapping

import msgspec

from schemas.filters.model import (
    Condition,
    FieldCondition,
    FieldTest,
    Filter,
    HasPhrase,
    HasTokens,
    MatchAny,
    MatchExcept,
    MatchKeyword,
    MatchPhrase,
    MatchText,
    MatchTextAny,
    MatchUuid,
    MinShould,
    Nested,
)
from schemas.matching.uuids import uuid_of
from schemas.payload_index import PayloadIndex, TextIndex, UuidIndex
from schemas.text import analyzer

_WITH_MEANING = TextIndex | UuidIndex


def bind(filter: Filter, indexes: Mapping[str, PayloadIndex]) -> Filter:
    """``filter`` as it is meant with ``indexes`` (by payload key)."""
    meanings = {name: index.params for name, index in indexes.items() if isinstance(index.params, _WITH_MEANING)}
    return _Binder(meanings, "").filter(filter) if meanings else filter


class _Binder:
    """``within``: the key of the array that a nested filter looks into, and a dot."""

    def __init__(self, meanings: Mapping[str, TextIndex | UuidIndex], within: str) -> None:
        self._meanings = meanings
        self._within = within

    def filter(self, filter: Filter) -> Filter:
        least = filter.min_should
        return Filter(
            must=self._each(filter.must),
            should=self._each(filter.should),
            must_not=self._each(filter.must_not),
            min_should=None if least is None else MinShould(self._each(least.conditions), least.min_count),
        )

    def _each(self, conditions: Iterable[Condition]) -> tuple[Condition, ...]:
        return tuple(map(self._condition, conditions))

    def _condition(self, condition: Condition) -> Condition:
        match condition:
            case FieldCondition():
                return self._field(condition)
            case Nested():
                inner = _Binder(self._meanings, f"{self._within}{condition.key}.")
                return msgspec.structs.replace(condition, filter=inner.filter(condition.filter))
            case Filter():
                return self.filter(condition)
            case _:
                return condition

    def _field(self, condition: FieldCondition) -> FieldCondition:
        index = self._meanings.get(self._within + str(condition.key))
        if index is None:
            return condition
        return FieldCondition(
            condition.key,
            tuple(
                _text_test(test, index) if isinstance(index, TextIndex) else _uuid_test(test)
                for test in condition.tests
            ),
        )


def _text_test(test: FieldTest, index: TextIndex) -> FieldTest:
    match test:
        case MatchText():
            return HasTokens(index, frozenset(analyzer(index).query_tokens(test.text)))
        case MatchTextAny():
            return HasTokens(index, frozenset(analyzer(index).query_tokens(test.text)), all=False)
        case MatchPhrase():
            return HasPhrase(index, tuple(analyzer(index).query_tokens(test.phrase) if index.phrase_matching else ()))
        case _:
            return test


def _uuid_test(test: FieldTest) -> FieldTest:
    match test:
        case MatchKeyword():
            return _match_uuid(frozenset((test.value,)), test, excluded=False)
        case MatchAny():
            return _match_uuid(test.values, test, excluded=False)
        case MatchExcept():
            return _match_uuid(test.values, test, excluded=True)
        case _:
            return test


def _match_uuid(values: frozenset[str | int], test: FieldTest, *, excluded: bool) -> FieldTest:
    uuids = {value: uuid for value in values if isinstance(value, str) and (uuid := uuid_of(value)) is not None}
    return MatchUuid(frozenset(uuids.values()), values - uuids.keys(), excluded) if uuids else test
