"""What a column says that slots have is what their payloads have, or it doesn't say."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.columns.columns import Columns
from schemas.json_path import elements_at, parse_path
from tests.projector.columns.strategies import keys, payloads, scalars

FLAT = st.lists(st.fixed_dictionaries({}, optional={"a": scalars | st.lists(scalars, max_size=2)}), max_size=40)


def having(payload: dict[str, Any], key: str) -> list[str | int]:
    elements = elements_at(payload, parse_path(key))
    return list(dict.fromkeys(e for e in elements if isinstance(e, str | int) and not isinstance(e, bool)))


@given(bodies=st.lists(payloads, min_size=1, max_size=40) | FLAT, key=keys | st.just("a"), data=st.data())
def test_agrees_with_payloads(bodies: list[dict[str, Any]], key: str, data: st.DataObject) -> None:
    columns = Columns.build([msgspec.json.encode(body) if body else b"" for body in bodies])
    found = columns.find(parse_path(key))
    if found is None or not found[1] or not bodies:
        return
    slots = data.draw(st.lists(st.integers(0, len(bodies) - 1), max_size=10))
    values = found[0].values_at(np.array(slots, np.int64))
    if values is not None:
        assert [[] if value is None else [value] for value in values] == [having(bodies[slot], key) for slot in slots]


@pytest.mark.parametrize("values", [[5, 7, 5, None, -(2**53)], ["x", None, "y", "é", "x"], [None, None, True, 1, 2]])
def test_one_for_each_slot_is_told(values: list[Any]) -> None:
    columns = Columns.build([b"{}" if value is None else msgspec.json.encode({"a": value}) for value in values])
    found = columns.find(parse_path("a"))
    assert found is not None
    expected = [None if value is True else value for value in values]
    assert found[0].values_at(np.arange(len(values))) == expected


def test_what_is_not_plain_is_left_to_payloads() -> None:
    for values in ([1.0, 2], [[1, 2], 3], [2**53 + 1, 1], [["x", "y"], "z"], [["x", 1], "z"], [10**400, 1]):
        columns = Columns.build([msgspec.json.encode({"a": value}) for value in values])
        found = columns.find(parse_path("a"))
        assert found is not None
        assert found[0].values_at(np.arange(2)) is None
