"""Payload edits, against qdrant-client's local mode; nothing is ever changed in place."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client.local import payload_value_setter
from qdrant_client.local.json_path_parser import parse_json_path

from schemas.json_path import parse_path, values_at
from schemas.payload_edit import delete_keys, overwrite_payload, set_payload
from tests.schemas import strategies

Json = dict[str, Any]
local: Any = payload_value_setter  # its functions take unparameterised dicts


@given(strategies.payloads, strategies.payloads)
def test_set_merges_the_top_level_as_local_mode_does(old: Json, new: Json) -> None:
    before = deepcopy((old, new))
    assert set_payload(old, new) == local.merge_payload(dict(old), new)
    assert (old, new) == before


@given(strategies.payloads, strategies.payloads, strategies.paths)
def test_set_at_a_path_as_local_mode_does(old: Json, new: Json, key: str) -> None:
    before = deepcopy((old, new))
    expected = deepcopy(old)
    local.set_value_by_key(expected, parse_json_path(key), deepcopy(new))
    assert set_payload(old, new, parse_path(key)) == expected
    assert (old, new) == before


@given(strategies.payloads, st.lists(strategies.paths, max_size=3))
def test_delete_as_local_mode_does(old: Json, keys: list[str]) -> None:
    before = deepcopy(old)
    expected = deepcopy(old)
    for key in keys:
        local.delete_value_by_key(expected, parse_json_path(key))
    assert delete_keys(old, [parse_path(key) for key in keys]) == expected
    assert old == before


@given(strategies.payloads, strategies.payloads, strategies.paths)
def test_overwrite_replaces_what_is_at_the_path(old: Json, new: Json, key: str) -> None:
    path = parse_path(key)
    result = overwrite_payload(old, new, path)
    assert all(value == new for value in values_at(result, path))
    assert {k: v for k, v in result.items() if k != path.steps[0]} == {
        k: v for k, v in old.items() if k != path.steps[0]
    }


def test_overwrite_without_a_path_replaces_all_and_keeps_nulls() -> None:
    assert overwrite_payload({"a": 1}, {"b": None}) == {"b": None}


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ({"a": {"x": 1}}, {"a": {"y": 2}}, None, {"a": {"y": 2}}),
        ({"a": 1, "b": None}, {"a": None, "c": None}, None, {"b": None}),
        ({"a": {"x": 1}}, {"y": 2}, "a", {"a": {"x": 1, "y": 2}}),
        ({"a": {"x": 1, "y": 2}}, {"x": None}, "a", {"a": {"y": 2}}),
        ({"a": 5}, {"y": 2}, "a.b", {"a": {"b": {"y": 2}}}),
        ({}, {"y": 2}, "a.b", {"a": {"b": {"y": 2}}}),
        ({}, {"y": 2}, "a[0]", {"a": []}),
        ({"a": [1]}, {"y": 2}, "a[1]", {"a": [1]}),
        ({"a": [1, {"x": 3}]}, {"y": 2}, "a[]", {"a": [{"y": 2}, {"x": 3, "y": 2}]}),
        ({"a": {"b": 1}}, {"y": 2}, '"a.b"', {"a": {"b": 1}, "a.b": {"y": 2}}),
    ],
)
def test_set(old: Json, new: Json, key: str | None, expected: Json) -> None:
    assert set_payload(old, new, None if key is None else parse_path(key)) == expected


@pytest.mark.parametrize(
    ("old", "key", "expected"),
    [
        ({"a": 1}, "a", {}),
        ({"a": 1}, "b.c", {"a": 1}),
        ({"a": {"b": 1, "c": 2}}, "a.b", {"a": {"c": 2}}),
        ({"a": [1, 2]}, "a[]", {"a": []}),
        ({"a": [1, 2]}, "a[0]", {"a": [1, 2]}),
        ({"a": [{"b": 1}, {"b": 2, "c": 3}]}, "a[].b", {"a": [{}, {"c": 3}]}),
        ({"a": [{"b": 1}, {"b": 2}]}, "a[1].b", {"a": [{"b": 1}, {}]}),
        ({"a": "x"}, "a.b", {"a": "x"}),
    ],
)
def test_delete(old: Json, key: str, expected: Json) -> None:
    assert delete_keys(old, [parse_path(key)]) == expected


@given(strategies.payloads, strategies.payloads, strategies.paths)
def test_set_and_delete_are_idempotent(old: Json, new: Json, key: str) -> None:
    path = parse_path(key)
    once = set_payload(old, new, path)
    deleted = delete_keys(old, [path])
    assert set_payload(once, new, path) == once
    assert delete_keys(deleted, [path]) == deleted


def test_edits_keep_the_order_of_keys() -> None:
    old = {"b": 1, "a": 2}
    assert list(set_payload(old, {"c": 3, "b": 4})) == ["b", "a", "c"]
