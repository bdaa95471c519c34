"""Payload keys: parsing against qdrant-client's local mode, and what they lead to."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from qdrant_client.local.json_path_parser import JsonPathItemType, parse_json_path
from qdrant_client.local.payload_value_extractor import value_by_key

from schemas.errors import BadInputError
from schemas.json_path import EACH, MAX_PATH_STEPS, Path, Step, elements_at, parse_path, values_at
from tests.schemas import strategies


def local_steps(text: str) -> tuple[Step, ...] | None:
    try:
        items = parse_json_path(text)
    except ValueError:
        return None
    kinds = {JsonPathItemType.KEY: "key", JsonPathItemType.INDEX: "index"}
    return tuple(getattr(item, kinds[item.item_type]) if item.item_type in kinds else EACH for item in items)


def our_steps(text: str) -> tuple[Step, ...] | None:
    try:
        return parse_path(text).steps
    except BadInputError:
        return None


pieces = st.sampled_from(["a", "b-_9", "é", ".", "..", "[", "]", "[]", "[0]", "[01]", "[-1]", '"', '"a.b"', '""', " "])


@given(st.lists(pieces, max_size=6).map("".join))
@example("a[18446744073709551615]")
@example("a[18446744073709551616]")
@example("a[" + "9" * 5000 + "]")
@example("a[\u0661]")
def test_reads_what_local_mode_reads(text: str) -> None:
    assert our_steps(text) == local_steps(text)


keys = st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"]), max_size=5)
steps = st.one_of(keys, st.integers(0, 2**64 - 1), st.just(EACH))


@given(keys, st.lists(steps, max_size=5))
def test_a_path_reads_back_from_its_text(first: str, rest: list[Step]) -> None:
    path = Path((first, *rest))
    assert parse_path(str(path)) == path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        (".a", "unexpected '.' at position 0"),
        ("a.", "unexpected '.' at position 1"),
        ("[0]", "a key must stand before the '[' at position 0"),
        ("a[]b", "expected '.' at position 3"),
        ("a b", "unexpected ' ' at position 1"),
        ("a[18446744073709551616]", "an index is larger than 2^64 - 1"),
        (".".join("a" * 65), "it has more than 64 steps"),
    ],
)
def test_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(BadInputError) as error:
        parse_path(text)
    assert error.value.message.endswith(f"({reason})")
    assert len(error.value.message) < 200


def test_a_path_has_at_most_so_many_steps() -> None:
    assert len(parse_path("a" + "[]" * (MAX_PATH_STEPS - 1)).steps) == MAX_PATH_STEPS
    with pytest.raises(BadInputError):
        parse_path("a" + "[]" * 1_000_000)


@given(strategies.payloads, strategies.keys)
def test_leads_where_local_mode_leads(payload: dict[str, Any], key: str) -> None:
    path = parse_path(key)
    assert values_at(payload, path) == (value_by_key(payload, key, flat=False) or [])
    assert elements_at(payload, path) == (value_by_key(payload, key, flat=True) or [])


def test_values_keep_arrays_and_elements_do_not() -> None:
    payload = {"a": [{"b": [1, [2]]}, {"b": None}, {}, 3]}
    assert values_at(payload, parse_path("a[].b")) == [[1, [2]], None]
    assert elements_at(payload, parse_path("a[].b")) == [1, [2], None]
    assert values_at(payload, parse_path("a.b")) == []
    assert values_at({"a.b": 1, "a": {"b": 2}}, parse_path('"a.b"')) == [1]
