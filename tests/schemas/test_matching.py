"""The reference evaluator: against qdrant-client's local mode, and case by case where a case deserves a name.

Known deviations from local mode, each the server's documented or actual behaviour or a decision of ours:
- without a text index the server looks for parts of strings, local mode for words;
- a float equals the integer of its value, in local mode only when that is a float, too;
- a field condition with several tests passes when one of them does; local mode looks at the first only;
- a leap second is the second after; local mode does not read it.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_client.http import models
from qdrant_client.local.payload_filters import check_filter  # pyright: ignore[reportUnknownVariableType]

from schemas.filters import parse_filter
from schemas.ids import PointId, parse_point_id
from schemas.matching import matches
from tests.schemas import strategies
from tests.support.examples import tries


@dataclass(frozen=True)
class Point:
    payload: dict[str, Any]
    id: PointId = PointId(0)  # noqa: RUF009
    vector_names: frozenset[str] = field(default_factory=frozenset[str])


def holds(condition: dict[str, Any], payload: dict[str, Any]) -> bool:
    return matches(parse_filter({"must": condition}), Point(payload))


@given(
    obj=strategies.filters().filter(strategies.is_local_modes),
    payload=strategies.payloads,
    json_id=strategies.few_ids,
    names=st.frozensets(st.sampled_from(strategies.VECTOR_NAMES)),
)
def test_agrees_with_local_mode(
    obj: dict[str, Any], payload: dict[str, Any], json_id: int | str, names: frozenset[str]
) -> None:
    expected = check_filter(models.Filter.model_validate(obj), payload, json_id, dict.fromkeys(names, True))
    assert matches(parse_filter(obj), Point(payload, parse_point_id(json_id), names)) is expected


@settings(max_examples=tries(500))
@given(strategies.apt_cases().filter(lambda case: strategies.is_local_modes(case[0])))
def test_each_field_condition_agrees_with_local_mode(case: tuple[dict[str, Any], dict[str, Any]]) -> None:
    condition, payload = case
    obj = {"must": condition}
    expected = check_filter(models.Filter.model_validate(obj), payload, 0, {})
    assert matches(parse_filter(obj), Point(payload)) is expected


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=10,
)


@given(obj=strategies.filters(), payload=st.dictionaries(st.sampled_from(strategies.KEYS), json_values))
def test_never_raises_and_a_negation_is_the_opposite(obj: dict[str, Any], payload: dict[str, Any]) -> None:
    point = Point(payload)
    assert matches(parse_filter({"must_not": obj}), point) is not matches(parse_filter(obj), point)


@pytest.mark.parametrize(
    ("value", "payload", "expected"),
    [
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        (1, 1.0, True),
        (1, 1.5, False),
        (2**53 + 1, 2.0**53, False),
        (1, "1", False),
        ("1", 1, False),
        ("a", ["b", "a"], True),
        ("a", [["a"]], False),
        (1, [True, 1], True),
        (0, False, False),
        (0, None, False),
        (2**63 - 1, 2**63 - 1, True),
        (0, -0.0, True),
        ("e\u0301", "\u00e9", False),
    ],
)
def test_exact_match_compares_by_value_and_tells_types_apart(value: object, payload: object, expected: bool) -> None:
    assert holds({"key": "a", "match": {"value": value}}, {"a": payload}) is expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [({"a": None}, False), ({}, False), ({"a": []}, False), ({"a": "x"}, False), ({"a": 1}, True), ({"a": {}}, True)],
)
def test_except_needs_a_value(payload: dict[str, Any], expected: bool) -> None:
    assert holds({"key": "a", "match": {"except": ["x"]}}, payload) is expected


def test_numbers_compare_by_value() -> None:
    moment = 1768907725507217522
    assert holds({"key": "a", "range": {"gte": moment, "lte": moment}}, {"a": moment})
    assert not holds({"key": "a", "range": {"gte": moment, "lte": moment}}, {"a": moment - 1})
    assert holds({"key": "a", "range": {"gt": 2.0**53}}, {"a": 2**53 + 1})
    assert holds({"key": "a", "range": {"gte": 2**64 - 1}}, {"a": 2**64 - 1})
    assert not holds({"key": "a", "range": {"gt": 2**64 - 1}}, {"a": 2**64 - 1})
    assert holds({"key": "a", "range": {"gt": 1e308}}, {"a": 10**400})
    assert holds({"key": "a", "range": {"lt": -1e308}}, {"a": -(10**400)})
    assert not holds({"key": "a", "range": {}}, {"a": True})
    assert not holds({"key": "a", "range": {"gte": 0}}, {"a": float("nan")})


def test_a_condition_with_several_tests_passes_when_one_does() -> None:
    condition = {"key": "a", "match": {"value": 5}, "range": {"lt": 3}}
    assert [holds(condition, {"a": value}) for value in (5, 1, 4)] == [True, True, False]


@pytest.mark.parametrize(
    ("payload", "empty", "null"),
    [
        ({}, True, False),
        ({"a": None}, True, True),
        ({"a": []}, True, False),
        ({"a": [None]}, False, True),
        ({"a": [[None]]}, False, False),
        ({"a": {}}, False, False),
        ({"a": ""}, False, False),
        ({"a": 0}, False, False),
        ({"a": [1, None]}, False, True),
    ],
)
def test_empty_and_null(payload: dict[str, Any], empty: bool, null: bool) -> None:
    assert holds({"is_empty": {"key": "a"}}, payload) is empty
    assert holds({"key": "a", "is_empty": False}, payload) is not empty
    assert holds({"is_null": {"key": "a"}}, payload) is null
    assert holds({"key": "a", "is_null": False}, payload) is not null


@pytest.mark.parametrize(
    ("payload", "count"),
    [({}, 0), ({"a": None}, 0), ({"a": []}, 0), ({"a": "xyz"}, 1), ({"a": {"b": 1}}, 1), ({"a": [1, [2, 3]]}, 2)],
)
def test_values_count(payload: dict[str, Any], count: int) -> None:
    assert holds({"key": "a", "values_count": {"gte": count, "lte": count}}, payload)
    assert not holds({"key": "a", "values_count": {"gt": count}}, payload)


def test_nested_wants_one_element_to_satisfy_all() -> None:
    payload = {"diet": [{"food": "leaves", "likes": False}, {"food": "meat", "likes": True}, "meat"]}
    likes_leaves = [{"key": "food", "match": {"value": "leaves"}}, {"key": "likes", "match": {"value": True}}]
    across = [{**condition, "key": f"diet[].{condition['key']}"} for condition in likes_leaves]
    for key in ("diet", "diet[]"):
        assert not holds({"nested": {"key": key, "filter": {"must": likes_leaves}}}, payload)
    assert matches(parse_filter({"must": across}), Point(payload))


def test_conditions_on_the_point_never_hold_inside_nested() -> None:
    payload = {"a": [{"b": 1}]}
    for condition in ({"has_id": [0]}, {"has_vector": ""}, {"slice": {"index": 0, "total": 1}}):
        assert not holds({"nested": {"key": "a", "filter": {"must": condition}}}, payload)
        assert holds({"nested": {"key": "a", "filter": {"must_not": condition}}}, payload)


def test_an_empty_should_asks_for_nothing_and_an_empty_filter_matches() -> None:
    assert matches(parse_filter({"should": []}), Point({}))
    assert matches(parse_filter({}), Point({}))
    assert not matches(parse_filter({"min_should": {"conditions": [], "min_count": 1}}), Point({}))


def test_min_should_counts_conditions() -> None:
    conditions = [{"key": "a", "range": {"gte": bound}} for bound in (1, 2, 3)]
    at_least_two = parse_filter({"min_should": {"conditions": conditions, "min_count": 2}})
    assert [matches(at_least_two, Point({"a": value})) for value in (1, 2, 3)] == [False, True, True]


def test_a_lone_surrogate_in_a_payload_is_just_a_character() -> None:
    payload = json.loads('{"a": "\\ud800 fox"}')
    assert holds({"key": "a", "match": {"text": "fox"}}, payload)
