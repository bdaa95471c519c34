"""What a payload index makes of a filter."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from schemas.filters import parse_filter
from schemas.ids import PointId
from schemas.matching import bind, matches
from schemas.payload_index import (
    IndexParams,
    IntegerIndex,
    KeywordIndex,
    PayloadIndex,
    PayloadIndexes,
    StopwordsSet,
    TextIndex,
    Tokenizer,
    UuidIndex,
)

UUID = "550e8400-e29b-41d4-a716-446655440000"
SPELLINGS = (UUID, UUID.upper(), UUID.replace("-", ""))


@dataclass(frozen=True)
class Point:
    payload: dict[str, Any]
    id: PointId = PointId(0)  # noqa: RUF009
    vector_names: frozenset[str] = field(default_factory=frozenset[str])


def holds(condition: dict[str, Any], payload: dict[str, Any], **indexes: IndexParams) -> bool:
    return matches(bind(parse_filter({"must": condition}), declared(**indexes)), Point(payload))


def declared(**indexes: IndexParams) -> PayloadIndexes:
    return {name.replace("__", "[]."): PayloadIndex(params) for name, params in indexes.items()}


@pytest.mark.parametrize(
    ("params", "match", "value", "expected"),
    [
        (TextIndex(), {"text": "fox QUICK"}, "The quick, brown fox", True),
        (TextIndex(), {"text": "ick"}, "The quick, brown fox", False),
        (TextIndex(), {"text": "brown fox"}, ["brown bear", "red fox"], True),
        (TextIndex(), {"text_any": "zebra fox"}, "fox", True),
        (TextIndex(), {"text": ""}, "fox", False),
        (TextIndex(), {"text": "fox"}, 5, False),
        (TextIndex(), {"value": "The fox"}, "The fox", True),
        (TextIndex(), {"phrase": "fox"}, "fox", False),
        (TextIndex(phrase_matching=True), {"phrase": "quick fox"}, "a Quick fox", True),
        (TextIndex(phrase_matching=True), {"phrase": "fox quick"}, "a quick fox", False),
        (TextIndex(phrase_matching=True), {"phrase": "bear red"}, ["brown bear", "red fox"], False),
        (TextIndex(lowercase=False), {"text": "fox"}, "Fox", False),
        (TextIndex(ascii_folding=True), {"text": "cafe"}, "Café", True),
        (TextIndex(min_token_len=3), {"text": "of"}, "of", False),
        (TextIndex(tokenizer=Tokenizer.PREFIX, max_token_len=3), {"text": "foxtrot"}, "fox", True),
        (TextIndex(tokenizer=Tokenizer.WHITESPACE), {"text": "c++"}, "C++ and C", True),
        (TextIndex(tokenizer=Tokenizer.MULTILINGUAL), {"text": "東京"}, "東京都に行く", True),
        (TextIndex(stopwords=StopwordsSet(custom=("The",))), {"text": "the"}, "the fox", False),
        (UuidIndex(), {"any": [UUID, "x"]}, "x", True),
        (UuidIndex(), {"except": [UUID]}, "x", True),
        (UuidIndex(), {"except": [UUID]}, None, False),
        (UuidIndex(), {"value": "x"}, "x", True),
        (KeywordIndex(), {"text": "ick"}, "quick", True),
        (IntegerIndex(), {"value": 1}, 1.0, True),
    ],
)
def test_a_match_on_an_indexed_key(params: IndexParams, match: dict[str, Any], value: object, expected: bool) -> None:
    assert holds({"key": "k", "match": match}, {"k": value}, k=params) is expected


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("stored", SPELLINGS)
def test_a_uuid_is_what_it_spells(spelling: str, stored: str) -> None:
    assert holds({"key": "k", "match": {"value": spelling}}, {"k": stored}, k=UuidIndex())
    assert not holds({"key": "k", "match": {"except": [spelling]}}, {"k": stored}, k=UuidIndex())


def test_other_keys_stay_as_they_are() -> None:
    assert holds({"key": "other", "match": {"text": "ick"}}, {"other": "quick"}, k=TextIndex())


def test_a_key_within_nested_is_that_of_the_whole_path() -> None:
    inner = {"must": [{"key": "t", "match": {"text": "fox quick"}}]}
    payload = {"a": [{"t": "quick fox"}]}
    assert holds({"nested": {"key": "a", "filter": inner}}, payload, a__t=TextIndex())
    assert not holds({"nested": {"key": "a", "filter": inner}}, payload, t=TextIndex())


def test_every_clause_is_bound() -> None:
    condition = {"key": "k", "match": {"text": "fox quick"}}
    for clause in ({"should": condition}, {"min_should": {"conditions": [condition], "min_count": 1}}):
        assert holds(clause, {"k": "quick fox"}, k=TextIndex())
    assert not holds({"must_not": condition}, {"k": "quick fox"}, k=TextIndex())
